"""Who may capture what, where and for how long."""
