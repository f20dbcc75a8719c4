"""What readers see.

At home here: the exercise as a student meets it, pages with their templates, scripts and styles, what runs add up to,
and the ways in which pages reach a site: a MkDocs build, a folder. Not at home: packages for other platforms
(`export`), and any decision what is published.
"""
