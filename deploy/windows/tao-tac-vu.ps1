# Registers the task of docs/operations.md and starts it: at start-up and log-on, no end. S4U: it
# needs no window that somebody could close, and keeps no password.
$action = New-ScheduledTaskAction -Execute 'C:\nhac-viec\nhac-viec.cmd' -WorkingDirectory 'C:\nhac-viec'
$triggers = @((New-ScheduledTaskTrigger -AtStartup), (New-ScheduledTaskTrigger -AtLogOn))
$principal = New-ScheduledTaskPrincipal -UserId $env:USERNAME -LogonType S4U
$settings = New-ScheduledTaskSettingsSet -ExecutionTimeLimit ([TimeSpan]::Zero) `
    -RestartCount 999 -RestartInterval (New-TimeSpan -Minutes 1) -StartWhenAvailable `
    -AllowStartIfOnBatteries -DontStopIfGoingOnBatteries -MultipleInstances IgnoreNew
Register-ScheduledTask -TaskName 'Nhac viec' -Action $action -Trigger $triggers -Principal $principal `
    -Settings $settings -Force
Start-ScheduledTask -TaskName 'Nhac viec'
