"""How the app looks: a paper-and-ink theme with fonts that ship with Gradio, so that no page asks another host."""

from __future__ import annotations

from pathlib import Path

import gradio as gr
from gradio.themes import Color, LocalFont

TEAL = Color(
    "#eff6f5", "#d9ebe9", "#b4d7d4", "#85bcb8", "#559b98", "#37807e",
    "#216665", "#1b5353", "#184343", "#143535", "#0b2222",
)  # fmt: skip
SAND = Color(
    "#fbf9f6", "#f5f1ea", "#e9e2d7", "#d8cebf", "#ab9f8d", "#857a6a",
    "#675d50", "#4e463c", "#35302a", "#24211d", "#181613",
)  # fmt: skip

STYLES = sorted(Path(__file__).with_name("css").glob("*.css"))
"""What the theme cannot say, a file for each part of the page."""


def theme() -> gr.themes.Base:
    """The colours, type and spacing, by day and by night."""
    return gr.themes.Base(
        primary_hue=TEAL,
        secondary_hue=TEAL,
        neutral_hue=SAND,
        radius_size="lg",
        font=(LocalFont("IBM Plex Sans", weights=(400, 700)), "sans-serif"),
        font_mono=(LocalFont("IBM Plex Mono"), "monospace"),
    ).set(
        body_background_fill="*neutral_100",
        body_background_fill_dark="*neutral_950",
        body_text_color="*neutral_900",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_400",
        block_background_fill="transparent",
        block_background_fill_dark="transparent",
        block_border_width="0px",
        block_border_width_dark="0px",
        block_padding="0px",
        block_shadow="none",
        block_title_text_weight="600",
        block_title_text_size="*text_sm",
        block_title_text_color="*neutral_700",
        block_title_text_color_dark="*neutral_300",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_400",
        panel_background_fill="transparent",
        panel_background_fill_dark="transparent",
        form_gap_width="0px",
        layout_gap="14px",
        input_background_fill="white",
        input_background_fill_dark="*neutral_950",
        input_border_color="*neutral_300",
        input_border_color_dark="*neutral_700",
        input_border_color_focus="*primary_500",
        input_border_width="1px",
        input_radius="10px",
        input_shadow_focus="0 0 0 3px *primary_100",
        input_shadow_focus_dark="0 0 0 3px *primary_900",
        slider_color="*primary_500",
        slider_color_dark="*primary_500",
        checkbox_label_background_fill="transparent",
        checkbox_label_background_fill_dark="transparent",
        checkbox_label_border_width="1px",
        checkbox_label_shadow="none",
        button_large_radius="12px",
        button_medium_radius="10px",
        button_small_radius="8px",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_600",
        button_primary_background_fill_hover_dark="*primary_500",
        button_primary_text_color="white",
        button_secondary_text_color="*neutral_900",
        button_secondary_text_color_dark="*neutral_100",
        button_secondary_background_fill="white",
        button_secondary_background_fill_hover="*neutral_50",
        button_secondary_background_fill_dark="*neutral_900",
        button_secondary_background_fill_hover_dark="*neutral_800",
        button_secondary_border_color="*neutral_300",
        button_secondary_border_color_dark="*neutral_700",
        button_border_width="1px",
    )


KEYS = """
<script>
document.addEventListener("keydown", (event) => {
  const press = (name) => {
    const button = document.querySelector(name);
    if (!button || button.offsetParent === null || button.disabled) return;
    event.preventDefault();
    button.click();
    return true;
  };
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && press("#render")) {
    const seen = ({top, bottom}) => top < innerHeight && bottom > 0;
    const cards = [...document.querySelectorAll("#reading .panel")];
    if (!cards.some((card) => seen(card.getBoundingClientRect()))) cards[0]?.scrollIntoView({block: "center"});
  }
  const busy = event.defaultPrevented || event.isComposing || document.querySelector("dialog[open], [role=listbox]");
  if (event.key === "Escape" && !busy) press("#stop");
});
</script>
"""
"""Ctrl+Enter or Cmd+Enter anywhere on the page makes the frames, and the board shows it; Escape stops, unless it closes
a menu."""

FETCH = "() => document.querySelector('#made')?.closest('a, button')?.click()"
"""Take home the file that has just been made."""
