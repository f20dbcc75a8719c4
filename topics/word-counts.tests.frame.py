"""What the exercise leaves out of wordlist.py, as the same author wrote it."""

# errorspan: exercise


class WordListError(Exception):
    pass


def read_text(path: str) -> str:
    try:
        with open(path, encoding="utf-8-sig") as f:
            return f.read()
    except (OSError, UnicodeDecodeError) as e:
        raise WordListError(f"Cannot read {path}: {e}") from e


def top_words(text: str, n: int = 10) -> list[tuple[str, int]]:
    _check_n(n)
    return _top(Counter(words(text)), n)
