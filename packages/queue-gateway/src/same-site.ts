import type { MiddlewareHandler } from 'hono';

/**
 * Refuses what a page of another site has its reader's browser send: a job is code that runs on this machine. Programs send no
 * `Origin`; the console sends its own.
 */
export const sameSiteOnly: MiddlewareHandler = async (context, next) => {
  const origin = context.req.header('origin');
  const isSafe = context.req.method === 'GET' || context.req.method === 'HEAD';
  if (isSafe || origin === undefined || hostOf(origin) === context.req.header('host')) return next();
  return context.json({ error: `jobs are not taken from pages of ${origin}`, code: 'CROSS_SITE' }, 403);
};

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}
