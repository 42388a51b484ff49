"""The settings: config/reminder.toml, overridden by environment variables.

Each key is also REMINDER_SECTION__KEY, a secret also REMINDER_SECTION__KEY_FILE. Paths are relative
to the settings file; those from the environment, and the store's, to the current directory. Only
this package reads os.environ. Importing it takes 0.1 s (pydantic).
"""

from reminder.files.settings.reading import environment, load_settings, secret_files, settings_path
from reminder.files.settings.sections import Settings

__all__ = ["Settings", "environment", "load_settings", "secret_files", "settings_path"]
