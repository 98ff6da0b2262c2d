import type { ComponentChildren, JSX } from 'preact';

/** A box that scrolls when its contents are too large. */
export function Scrolled({ label, children }: { label: string; children: ComponentChildren }): JSX.Element {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keys
    <section class="scrolled" aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}
