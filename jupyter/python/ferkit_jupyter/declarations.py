"""Finds the variables that a TypeScript cell declares at its top level, however they are written."""

import re
from dataclasses import dataclass

NAME = re.compile(r"[A-Za-z_$][\w$]*")
KEYWORD = re.compile(r"(let|const|var)\b(?!\s*[.:=])")
# What a statement continues with, or cannot end with, across a line break.
CONTINUES_AFTER = set(",=+-*/%&|^?:<>!~.([{")
CONTINUES_BEFORE = set(",=+-*/%&|^?:<>.)]}([")
CONTINUING_WORDS = re.compile(r"(as|satisfies|in|instanceof)\b")
# `new Map<string, number>(`: a comma between type arguments separates no declarations.
TYPE_ARGUMENTS = re.compile(r"<[\w\s,.\[\]|&\"'{}:;<>]*>(?=\s*\()")
BRACKETS = {"(": ")", "[": "]", "{": "}"}


@dataclass
class Declaration:
    """A variable, with its keyword (let, const or var), its type and its value as they are written."""

    keyword: str
    name: str
    type: str
    value: str


def find_declarations(source):
    """Returns the declarations of a cell, in order."""
    found = []
    position = 0
    before = ";"  # the last character of code so far
    while position < len(source):
        end = skip(source, position)
        if end is not None:
            position = end
            continue
        keyword = KEYWORD.match(source, position)
        if keyword and before != ".":
            declarations, position = read_statement(source, keyword.end(), keyword.group(1))
            found.extend(declarations)
            before = ";"
            continue
        character = source[position]
        name = NAME.match(source, position)
        if character in BRACKETS:
            position = closing(source, position)
        else:
            position = name.end() if name else position + 1
        if not character.isspace():
            before = character
    return found


def find_unclosed(source):
    """Returns the first position whose string, comment or bracket never closes, or that closes none; None for a whole cell."""
    expected = []  # closing brackets, each with the position of its opening one
    position = 0
    while position < len(source):
        end = skip(source, position)
        if end is not None:
            if not is_closed(source, position, end):
                return position
            position = end
            continue
        character = source[position]
        if character in BRACKETS:
            expected.append((BRACKETS[character], position))
        elif character in BRACKETS.values():
            if not expected or expected.pop()[0] != character:
                return position
        position += 1
    return expected[-1][1] if expected else None


def is_closed(source, start, end):
    """Whether the comment or string at `start`, which `skip` ends at `end`, closes."""
    if source.startswith("//", start):
        return True
    closing_text = "*/" if source.startswith("/*", start) else source[start]
    return end - start >= 2 * len(closing_text) and source.startswith(closing_text, end - len(closing_text))


def read_statement(source, position, keyword):
    """Reads the declarations of one statement; returns them, and where it ends."""
    found = []
    while True:
        position = skip_space(source, position)
        start = position
        position = closing(source, start) if source[start : start + 1] in BRACKETS else end_of_name(source, start)
        pattern = source[start:position]
        type_end = value_start = position = skip_space(source, position)
        if source[position : position + 1] in (":", "!"):
            type_end = value_start = scan(source, position + 1, is_type=True)
        declared_type = source[position:type_end].lstrip("!: ").strip()
        position = value_end = type_end
        if source[position : position + 1] == "=":
            value_start = position + 1
            position = value_end = scan(source, value_start)
        value = source[value_start:value_end].strip()
        found += [Declaration(keyword, name, declared_type, value) for name in names_of(pattern)]
        if source[position : position + 1] != ",":
            return found, position
        position += 1


def names_of(pattern):
    """Returns the names that a binding declares: one, or those in `{ a, b: c }` and `[a, ...b]`."""
    if not pattern or pattern[0] not in BRACKETS:
        return [pattern] if pattern else []
    names = []
    for part in split(pattern[1:-1]):
        binding = split(part, "=")[0].strip().removeprefix("...").strip()
        if pattern[0] == "{" and len(split(binding, ":")) > 1:
            binding = split(binding, ":")[1].strip()
        names += names_of(binding)
    return names


def split(text, separator=","):
    """Splits at separators outside brackets, strings and comments."""
    parts, start, position = [], 0, 0
    while position < len(text):
        end = skip(text, position)
        if end is None and text[position] in BRACKETS:
            end = closing(text, position)
        if end is None and text[position] == separator:
            parts.append(text[start:position])
            start = position + 1
        position = end or position + 1
    parts.append(text[start:])
    return parts


def scan(source, position, is_type=False):
    """Returns where a type or a value ends: at its `=` (of a type), a comma, a semicolon, or the end of its line."""
    before = "="
    angles = 0
    while position < len(source):
        end = skip(source, position)
        if end is not None:
            if source[position] in "\"'`":
                before = source[position]
            position = end
            continue
        character = source[position]
        if source.startswith("=>", position):
            before, position = "=", position + 2
            continue
        arguments = None if is_type else TYPE_ARGUMENTS.match(source, position)
        if arguments and (before.isalnum() or before in "_$=,("):
            position = arguments.end()
            before = ">"
            continue
        if is_type and character in "<>":
            angles += 1 if character == "<" else -1
        if angles <= 0:
            if character in ",;" or character in ")]}" or (is_type and character == "="):
                return position
            if character == "\n" and ends_line(source, position, before):
                return position
        if character in BRACKETS:
            position = closing(source, position)
            before = ")"
            continue
        if not character.isspace():
            before = character
        position += 1
    return position


def ends_line(source, position, before):
    """Whether a statement ends at a line break, as JavaScript's rule for left-out semicolons has it."""
    following = skip_space(source, position)
    if following >= len(source) or KEYWORD.match(source, following):
        return True
    continues = source[following] in CONTINUES_BEFORE or CONTINUING_WORDS.match(source, following)
    return not (before in CONTINUES_AFTER or continues)


def end_of_name(source, position):
    name = NAME.match(source, position)
    return name.end() if name else position


def skip_space(source, position):
    """Skips white space and comments."""
    while position < len(source):
        if source[position].isspace():
            position += 1
        elif source.startswith(("//", "/*"), position):
            position = skip(source, position)
        else:
            break
    return position


def skip(source, position):
    """Returns the end of the comment or string that begins here, or None."""
    if source.startswith("//", position):
        end = source.find("\n", position)
        return len(source) if end < 0 else end
    if source.startswith("/*", position):
        end = source.find("*/", position + 2)
        return len(source) if end < 0 else end + 2
    quote = source[position]
    if quote not in "\"'`":
        return None
    position += 1
    while position < len(source) and source[position] != quote:
        if source[position] == "\n" and quote != "`":
            return position  # it was not closed
        if source[position] == "\\":
            position += 1
        elif quote == "`" and source.startswith("${", position):
            position = closing(source, position + 1) - 1
        position += 1
    return min(position + 1, len(source))


def closing(source, position):
    """Returns the position after the bracket that closes the one here."""
    end = BRACKETS[source[position]]
    position += 1
    while position < len(source) and source[position] != end:
        past = skip(source, position)
        if past is None:
            past = closing(source, position) if source[position] in BRACKETS else position + 1
        position = past
    return position + 1
