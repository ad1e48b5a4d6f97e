"""Databases behind one seam: this knows rows and filters, and nothing of HTTP or Bitrix24."""
