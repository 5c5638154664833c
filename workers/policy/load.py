"""The policy file, read and checked."""

from pathlib import Path
from typing import Any

import yaml

from workers.policy.rules import NOBODY, Policy, PolicyError, policy_of


def load(path: Path | None) -> Policy:
    """The policy in a YAML file (docs/policy.md); without one, `NOBODY`.

    Raises:
        PolicyError: The file is not there or cannot be used; each line begins with its path.
    """
    if path is None:
        return NOBODY
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise PolicyError(
            f"{path}: there is no such file; PODCAP_POLICY names it, docs/policy.md says what it holds"
        ) from None
    except OSError as error:
        raise PolicyError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise PolicyError(f"{path}: is no text in UTF-8") from None
    try:
        return policy_of(_document(text))
    except PolicyError as error:
        raise PolicyError(*(f"{path}: {line}" for line in error.lines)) from None


class _OncePerKey(yaml.SafeLoader):
    """YAML in which a key stands once in a mapping; else the last of them would win unseen."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: list[Any] = []
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} stands there twice", key.start_mark
                )
            seen.append(key.value)
        return super().construct_mapping(node, deep)


def _document(text: str) -> Any:
    try:
        document = yaml.load(text, _OncePerKey)  # noqa: S506, the loader is a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        unreadable = not isinstance(error, yaml.constructor.ConstructorError)
        hint = " (a name that begins with @ or * needs quotes)" if unreadable else ""
        raise PolicyError(f"{where}{error.problem}{hint}") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise PolicyError("is no YAML") from None
    if document is None:
        raise PolicyError("is empty; docs/policy.md shows what it may hold")
    return document
