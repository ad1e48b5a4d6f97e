"""Databases behind one seam: everything here knows rows and filters, nothing of HTTP or Bitrix24."""
