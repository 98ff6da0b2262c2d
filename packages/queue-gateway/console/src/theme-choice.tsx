import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';

const themes = ['system', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];

const key = 'flash-console-theme';

/** The reader's choice, kept for the next visit, and what it comes to at the moment. */
export function useTheme(): [Theme, (theme: Theme) => void, string] {
  const [theme, setTheme] = useState<Theme>(() => themes.find((name) => name === stored()) ?? 'system');
  const [isDark, setDark] = useState(() => systemIsDark().matches);
  useEffect(() => {
    const query = systemIsDark();
    const onChange = (): void => setDark(query.matches);
    query.addEventListener('change', onChange);
    return () => query.removeEventListener('change', onChange);
  }, []);
  document.documentElement.dataset.theme = theme;
  const choose = (chosen: Theme): void => {
    setTheme(chosen);
    try {
      localStorage.setItem(key, chosen);
    } catch {
      // The browser stores nothing: the choice lasts until the page is closed.
    }
  };
  return [theme, choose, theme === 'system' ? String(isDark) : theme];
}

export function ThemeChoice({
  theme,
  onChoose,
}: {
  theme: Theme;
  onChoose: (theme: Theme) => void;
}): JSX.Element {
  return (
    <>
      <label for="theme">Theme</label>
      <select
        id="theme"
        value={theme}
        onInput={({ currentTarget }) => onChoose(currentTarget.value as Theme)}
      >
        {themes.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
    </>
  );
}

function systemIsDark(): MediaQueryList {
  return matchMedia('(prefers-color-scheme: dark)');
}

function stored(): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}
