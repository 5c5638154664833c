"""The controllers: each looks at all objects and does what is missing. They run again after every change."""
