"""The settings: config/reminder.toml, then the environment over it.

Each key is also REMINDER_SECTION__KEY, secrets also REMINDER_SECTION__KEY_FILE. Paths are relative
to the settings file; those from the environment, and the store's, to the current directory. This
room alone reads os.environ. It takes 0.1 s to import, so only who needs it does.
"""

from reminder.files.settings.reading import environment, load_settings, secret_files, settings_path
from reminder.files.settings.sections import Settings

__all__ = ["Settings", "environment", "load_settings", "secret_files", "settings_path"]
