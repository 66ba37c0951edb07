"""Preset plans."""

from __future__ import annotations

from explorer.panes.training.plan.draft import PlanDraft

BUNDLED = PlanDraft()
# Each GPU has a link of 200 Gbit/s to other machines; a batch has four million tokens.
GPT3 = PlanDraft(
    model="gpt3-175b",
    device="A100 SXM 80GB",
    devices="1,024",
    stage="3",
    batch_size="2,048",
    tokens="300e9",
    price="2",
    precision="bf16",
    recompute="full",
    micro_batch="2",
    link="25",
)
