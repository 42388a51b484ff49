@echo off
rem Runs the reminder from C:\nhac-viec and keeps its log; the Task Scheduler starts this.
cd /d C:\nhac-viec
set PYTHONUTF8=1
if not exist var mkdir var
venv\Scripts\reminder.exe run >> var\nhat-ky.log 2>&1
