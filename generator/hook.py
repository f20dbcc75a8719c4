"""Hand MkDocs' events to the generator. Named in mkdocs.yml under `hooks`."""

from errorspan.site.mkdocs import Site

_site = Site()

on_startup = _site.on_startup
on_serve = _site.on_serve
on_config = _site.on_config
on_files = _site.on_files
on_page_content = _site.on_page_content
on_template_context = _site.on_template_context
on_post_page = _site.on_post_page
on_nav = _site.on_nav
on_env = _site.on_env
on_post_build = _site.on_post_build
