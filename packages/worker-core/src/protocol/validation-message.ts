import type { z } from 'zod';

/** Keys come from clients. */
const longestPath = 200;

/** One line out of a zod error: `path: what is wrong`, joined by "; ", at most five of them. */
export function validationMessage(error: z.ZodError): string {
  const shown = error.issues.slice(0, 5).map((issue) => {
    const path = issue.path.map(String).join('.').slice(0, longestPath);
    return path ? `${path}: ${issue.message}` : issue.message;
  });
  const more = error.issues.length - shown.length;
  return shown.join('; ') + (more > 0 ? `; and ${more} more` : '');
}
