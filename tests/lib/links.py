"""Prints each link of the tree's Markdown files that leads nowhere: no such file, or no such heading in it.

    links.py [FILE.md ...]     these, or all that git knows or would add
"""
import os
import re
import subprocess
import sys
from functools import cache

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# [text](target), where neither stands in a code block or between backquotes.
LINK = re.compile(r"\[(?:[^\[\]]|\[[^\[\]]*\])*\]\(\s*<?([^()\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")


def files():
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for path in sorted(set(listed.stdout.splitlines())) if os.path.isfile(os.path.join(ROOT, path))]


@cache
def lines_of(path):
    """Without what is code: there a bracket is no link, and a # no heading."""
    lines, is_code = [], False
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        for line in file:
            if re.match(r"\s*(```|~~~)", line):
                is_code, line = not is_code, ""
            lines.append("" if is_code else re.sub(r"`[^`]*`", lambda code: re.sub(r"[^\w \-`]", "", code[0]), line))
    return lines


@cache
def anchors_of(path):
    """The names under which headings can be reached: small letters, no signs, hyphens for blanks."""
    seen, anchors = {}, set()
    for line in lines_of(path):
        heading = re.match(r"#{1,6} +(.*?)\s*#*\s*$", line)
        if heading:
            text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading[1])
            slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            anchors.add(f"{slug}-{seen[slug]}" if slug in seen else slug)
            seen[slug] = seen.get(slug, 0) + 1
        anchors.update(re.findall(r"<a (?:name|id)=\"([^\"]+)\"", line))
    return anchors


def problem_of(path, target):
    if re.match(r"[a-z][a-z0-9+.-]*:", target):
        return None  # elsewhere: nobody is asked
    name, _, anchor = target.partition("#")
    full = os.path.normpath(os.path.join(os.path.dirname(path), name)) if name else path
    if not os.path.exists(os.path.join(ROOT, full)):
        return "there is no such file"
    if anchor and full.endswith(".md") and anchor not in anchors_of(full):
        return f"{full} has no such heading"
    return None


def main():
    for path in sys.argv[1:] or files():
        for number, line in enumerate(lines_of(path), 1):
            for target in LINK.findall(line):
                problem = problem_of(path, target)
                if problem:
                    print(f"{path}:{number}: ({target}): {problem}")


if __name__ == "__main__":
    main()
