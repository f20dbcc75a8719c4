"""Make a course site of topics: models solve a challenge, their real mistakes become exercises.

A tour, in the order in which a topic travels:

- `topics` reads what an author wrote, `settings` what the site sets.
- `steps` is the table of the seven steps. A row names its output (`outputs`), its checks (`checks`) and its prompt
  (`prompts/<step>.md.j2`, rendered by `prompting`). `verdicts` joins the judge's two answers.
- `pipeline` plays the table for one topic. It finds answers in the `record`, or gets them from `client`, the only
  door to a model. `budget` says beforehand what that can cost, by `prices`.
- `runs` holds what happened; `course` has all topics of a site.
- What speaks for a key beside the answers is `evidence`: `reviews`, and `proofs`, which `proving` makes by running a
  topic's tests in the `sandbox`. `solving` grades models that solved the exercise without its key. `publishing` decides
  whether students see it.
- `exercise` is an assessment as a student meets it; `pages` turns runs into pages, through `markup`, where untrusted
  text becomes HTML.
- `site` hands pages to MkDocs (by way of `hook`); `cli` is the `errorspan` command.

Each module imports only from those that `docs/architecture.md` lists above it.
"""
