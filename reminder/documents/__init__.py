"""Plan and ledger → files that people open: a workbook, a calendar. Imports core only."""
