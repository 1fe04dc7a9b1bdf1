"""Workflow templates (``*.json.template``); a package so that they are installed."""
