"""Files made from a plan and its ledger: .xlsx, .docx, .ics, .csv. Imports domain only."""
