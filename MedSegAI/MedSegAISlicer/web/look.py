"""How the page looks: colors, sizes, the icon; no external file is asked for. Ring 10 (web)."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

TITLE = "MedSegAI viewer (research use)"

_SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">
<rect width="64" height="64" rx="14" fill="#12303f"/>
<circle cx="32" cy="33" r="21" fill="none" stroke="#e8eef2" stroke-width="3.5"/>
<path d="M23 30a10 9 0 1 1 18 6c-2 7-16 8-18-6z" fill="#2fb5a6"/>
<circle cx="33" cy="33" r="4.5" fill="#f2b134"/></svg>"""
ICON = "data:image/svg+xml;base64," + b64encode(_SVG.encode()).decode()

# Attributes that trame does not know; screen readers and tests do.
MORE: dict[str, Any] = {
    "__properties": [("aria_label", "aria-label"), ("data_region", "data-region"), "role", "maxlength"]
}
THEME: dict[str, Any] = {
    "theme": {
        "defaultTheme": "dark",
        "themes": {
            "dark": {
                "dark": True,
                "colors": {
                    "background": "#0d1217",
                    "surface": "#161d24",
                    "primary": "#35b8a8",
                    "success": "#6cc070",
                    "warning": "#e8a838",
                    "error": "#e57368",
                },
            }
        },
    }
}

CSS = """
html { overflow: hidden; }
.panel { font-size: 13px; }
.panel .v-navigation-drawer__content { overflow-y: auto; }
.head { display: flex; align-items: center; gap: 10px; padding: 9px 16px 8px; position: sticky; top: 0; z-index: 2;
  background: rgb(var(--v-theme-surface)); border-bottom: 1px solid #26313b; }
.head-name { font-size: 17px; font-weight: 500; letter-spacing: .2px; }
.head .v-chip { margin-left: auto; }
.step { padding: 7px 16px 9px; border-bottom: 1px solid #222c35; display: flex; flex-direction: column; gap: 6px; }
.step-title { display: flex; align-items: center; gap: 8px; font-weight: 500; font-size: 13.5px; }
.step-number { width: 18px; height: 18px; border-radius: 9px; background: #24414a; color: #a9e4da; font-size: 11px;
  display: inline-flex; align-items: center; justify-content: center; }
.role { display: grid; grid-template-columns: 54px 1fr 20px; align-items: center; gap: 8px; }
.role-doubt { grid-column: 2 / 4; display: flex; flex-direction: column; align-items: flex-start; gap: 4px;
  color: #f0c674; font-size: 12px; line-height: 1.35; margin-bottom: 2px; }
.role-name { font-weight: 500; color: #c8d3db; overflow: hidden; text-overflow: ellipsis; }
.row { display: flex; align-items: center; gap: 8px; }
.grow { flex: 1 1 0; min-width: 0; }
.hint { color: #9fb0bc; font-size: 12px; line-height: 1.35; }
.statement { color: #f0c674; font-size: 12px; line-height: 1.35; border-left: 2px solid #e8a838; padding-left: 8px; }
.progress { display: flex; flex-direction: column; gap: 4px; font-size: 12px; color: #c8d3db; }
.step .v-field { font-size: 13px; }
.step .v-field__input { min-height: 30px; padding-top: 2px; padding-bottom: 2px; font-size: 13px; }
.step .v-field--appended { padding-inline-end: 6px; }
.step .v-select .v-field__input { min-height: 30px; }
.step .v-btn { text-transform: none; letter-spacing: .1px; }
.region { display: grid; grid-template-columns: 28px 1fr 46px 44px 58px 26px; align-items: center; gap: 4px;
  padding: 0 4px 0 0; min-height: 28px; border-radius: 6px; cursor: pointer; border: 1px solid transparent; }
.region:hover { background: #1c262f; }
.region-chosen { background: #1d2f36; border-color: #2f6f6c; }
.region .v-btn--icon { width: 24px; height: 24px; }
.region-head { min-height: 18px; color: #8496a3; font-size: 11px; cursor: default; }
.region-head:hover { background: none; }
.region-head span:nth-child(3), .region-head span:nth-child(4), .region-head span:nth-child(5) { text-align: right; }
.region-title { display: flex; align-items: center; gap: 7px; overflow: hidden; white-space: nowrap; }
.region-title span:last-child { overflow: hidden; text-overflow: ellipsis; }
.dot { width: 11px; height: 11px; border-radius: 3px; flex: none; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.dim { color: #8fa1ad; }
.state { font-size: 11.5px; text-align: right; color: #b8c6d0; }
.state-accepted { color: #7fd083; } .state-rejected { color: #ef8f85; } .state-edited { color: #f0c674; }
.offer { display: flex; flex-direction: column; align-items: flex-start; gap: 6px; font-size: 12px; line-height: 1.35;
  color: #f0c674; border-left: 2px solid #e8a838; padding-left: 8px; }
.tools { width: 100%; } .tools .v-btn { flex: 1 1 0; padding: 0 4px; min-width: 0; }
.tools .v-btn__prepend { margin-inline: 0 5px; }
.step-title .v-btn--icon { width: 24px; height: 24px; }
.brush .number { width: 48px; }
.sentence { display: flex; gap: 8px; align-items: flex-start; padding: 8px 16px; border-top: 1px solid #26313b;
  font-size: 12.5px; line-height: 1.4; background: #121920; color: #cfdae1; max-height: 110px; overflow-y: auto; }
.sentence-problem { background: #3a1f1f; color: #ffd9d4; }
.main { height: 100vh; }
.viewport { display: flex; flex-direction: column; height: 100vh; background: #000; }
.bar { display: flex; align-items: center; gap: 12px; height: 44px; padding: 0 12px; background: #12181e;
  border-bottom: 1px solid #222c35; flex: none; }
.bar .v-btn { text-transform: none; }
.bar .v-switch { flex: none; } .v-switch__thumb { background: #e8eef2 !important; } .bar .v-label { font-size: 13px; }
.bar .v-btn-toggle, .row .v-btn-toggle { height: 32px; }
.grid { flex: 1 1 0; min-height: 0; display: flex; }
.grid > div { width: 100%; }
.view-title { position: absolute; top: 4px; left: 8px; display: flex; align-items: center; gap: 2px; color: #dbe4ea;
  font-size: 12px; text-shadow: 0 0 3px #000; }
.letter { position: absolute; color: #ffd479; font-size: 13px; font-weight: 500; text-shadow: 0 0 3px #000;
  pointer-events: none; }
.letter-left { left: 8px; top: 50%; } .letter-right { right: 8px; top: 50%; }
.letter-top { top: 4px; left: 50%; } .letter-bottom { bottom: 32px; left: 50%; }
.slice-slider { position: absolute; left: 0; right: 0; bottom: 0; height: 28px; padding: 0 8px 0 6px;
  background: linear-gradient(transparent, rgba(0, 0, 0, .65)); display: flex; align-items: center;
  gap: 8px; color: #b8c6d0; font-size: 11px; }
.slice-position { width: 66px; text-align: right; text-shadow: 0 0 3px #000; font-variant-numeric: tabular-nums; }
.shown-grid { color: #8fa1ad; font-size: 12px; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.keys { position: absolute; right: 16px; top: 56px; z-index: 5; background: #161d24; border: 1px solid #2f6f6c;
  border-radius: 8px; padding: 12px 16px; display: flex; flex-direction: column; gap: 6px; font-size: 13px;
  color: #cfdae1; }
.key-row { display: grid; grid-template-columns: 76px 1fr; gap: 10px; }
.key { font-family: monospace; color: #a9e4da; }
.lasso { flex: none; } .lasso .v-label { font-size: 12.5px; }
.surface-hint { position: absolute; bottom: 8px; left: 10px; color: #b8c6d0; font-size: 12px; }
"""
