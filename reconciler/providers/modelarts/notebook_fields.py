"""Field facts of ModelArts notebooks. Sections are those of the sheet modelarts-notebooks."""

from typing import Final

from reconciler.fields import IN_PLACE, REPLACE, FieldRule, Seen

__all__ = ["FIELDS"]

FIELDS: Final = (
    FieldRule(path="description", change=IN_PLACE, seen=Seen.LIST, default="", source="§4 seed, §6 public"),
    FieldRule(
        path="profile_id",
        live="profile.id",
        change=REPLACE,
        seen=Seen.LIST,
        reworded=True,
        also_live=("profile_name", "profile_variant"),
        normalise="profile",
        source="§4 seed, rule inferred",
    ),
    FieldRule(
        path="flavor",
        change=REPLACE,
        seen=Seen.LIST,
        source="§4 seed, §6 public",
    ),
    FieldRule(
        path="spec.storage.type",
        change=REPLACE,
        seen=Seen.LIST,
        notice="The notebook will see other files; the old ones stay in object storage.",
        source="§4 seed, §6 public",
    ),
    FieldRule(
        path="spec.storage.location.path",
        change=REPLACE,
        seen=Seen.LIST,
        notice="The notebook will see other files; the old ones stay in object storage.",
        source="§4 seed, §6 public",
    ),
    FieldRule(path="spec.extend_storage", change=REPLACE, seen=Seen.LIST, source="§4 seed, order kept inferred"),
    FieldRule(
        path="spec.auto_stop.enable", change=IN_PLACE, seen=Seen.LIST, default=False, source="§4 seed, §6 public"
    ),
    FieldRule(
        path="spec.auto_stop.duration",
        change=IN_PLACE,
        seen=Seen.LIST,
        effective="at-next-start",
        notice="A running notebook keeps the old duration until its next start.",
        source="§4 inferred, §6 public",
    ),
    FieldRule(path="spec.auto_stop.prompt", change=IN_PLACE, seen=Seen.LIST, default=True, source="§4 seed, §6 public"),
    FieldRule(path="spec.annotations", change=REPLACE, seen=Seen.SOMETIMES, source="§4 seed, subset inferred, §11"),
    FieldRule(path="pool", change=REPLACE, seen=Seen.LIST, source="§4 seed, §6 public"),
    FieldRule(path="pool.type", change=REPLACE, seen=Seen.SOMETIMES, source="§4 seed: not compared unless written"),
    FieldRule(path="pool.name", change=REPLACE, seen=Seen.SOMETIMES, source="§4 seed: not compared unless written"),
    FieldRule(
        path="pool.owner.project_id",
        change=REPLACE,
        seen=Seen.SOMETIMES,
        source="§3 seed: shown for USER_DEFINED pools, §4: not compared unless written",
    ),
    FieldRule(
        path="ai_project.id",
        change=REPLACE,
        seen=Seen.LIST,
        default="default-ai-project",
        source="§3 seed, §4 inferred",
    ),
)
