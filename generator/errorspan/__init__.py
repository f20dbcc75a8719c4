"""Make a course site of topics: models solve a challenge, their real mistakes become exercises.

A tour, in the order in which a topic travels; each room's `__init__` says what is at home there:

- `text` is what every text goes through. `authoring` reads what an author wrote and what the site sets.
- `steps.table` has the seven steps. A row names its output (`answers.outputs`), its `checks` and its prompt
  (`steps/prompts/<step>.md.j2`, rendered by `steps.prompting`). `answers.verdicts` joins the judge's two answers.
- `pipeline` plays the table for one topic. It finds answers in the `record`, or gets them from `models.client`, the
  only door to a model. `runs.budget` says beforehand what that can cost, by `authoring.prices`.
- `runs` says what happened; `course` has all topics of a site.
- `proof` is what speaks for a key beside the answers: reviews, and proofs, made by running a topic's tests in the
  sandbox. `answers.solving` grades models that solved the exercise without its key. `runs.publishing` decides whether
  students see it.
- `site` turns runs into pages and hands them to MkDocs or to a folder, `export` packs exercises for learning platforms.
- `commands` is the `errorspan` command.

Each module imports only from those that `docs/architecture.md` lists above it, and so does each room.
"""
