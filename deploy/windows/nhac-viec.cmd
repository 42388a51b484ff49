@echo off
rem Runs the reminder from C:\nhac-viec and keeps its log; the Task Scheduler starts this.
cd /d C:\nhac-viec
set PYTHONUTF8=1
if not exist var mkdir var
:again
rem One older log is kept, so that the disk does not fill.
if exist var\nhat-ky.log for %%f in (var\nhat-ky.log) do if %%~zf gtr 10000000 move /y var\nhat-ky.log var\nhat-ky.cu.log >nul
venv\Scripts\reminder.exe run >> var\nhat-ky.log 2>&1
rem The Task Scheduler starts nothing anew that ended by itself: a minute later this does. No
rem "timeout" here: without a window it refuses to wait.
ping -n 61 127.0.0.1 >nul
goto again
