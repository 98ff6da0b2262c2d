import { SettingsError } from '@flash/worker-core';
import type { RunpodQueueSettings } from './settings.ts';

type Variable =
  | 'RUNPOD_WEBHOOK_GET_JOB'
  | 'RUNPOD_WEBHOOK_POST_OUTPUT'
  | 'RUNPOD_WEBHOOK_POST_STREAM'
  | 'RUNPOD_WEBHOOK_PING';

/** The addresses of the queue protocol, made out of the platform's templates (docs/reference/protocol.md, Queue protocol). */
export class QueueUrls {
  readonly #workerId: string;
  readonly #take: string;
  readonly #done: string;
  readonly #stream: string | undefined;
  readonly #ping: string | undefined;

  /** @throws SettingsError naming the variable whose template can't be used. */
  constructor(settings: Pick<RunpodQueueSettings, Variable>, workerId: string) {
    this.#workerId = workerId;
    this.#take = required('RUNPOD_WEBHOOK_GET_JOB', settings);
    this.#done = required('RUNPOD_WEBHOOK_POST_OUTPUT', settings, '$ID');
    this.#stream = optional('RUNPOD_WEBHOOK_POST_STREAM', settings, '$ID');
    this.#ping = optional('RUNPOD_WEBHOOK_PING', settings);
  }

  /** @param isBusy - whether any job is in progress. */
  take(wanted: number, isBusy: boolean): string {
    const url = this.#ofWorker(this.#take);
    const busy = `job_in_progress=${isBusy ? 1 : 0}`;
    if (wanted <= 1) return withQuery(url, busy);
    return withQuery(url.replace('/job-take/', '/job-take-batch/'), `batch_size=${wanted}&${busy}`);
  }

  /** `undefined` when the take address is not of the form that a stop address can be made of. */
  stop(): string | undefined {
    const url = this.#ofWorker(this.#take);
    return url.includes('/job-take/') ? url.replace('/job-take/', '/job-stop/') : undefined;
  }

  done(jobId: string, isStream: boolean): string {
    return withQuery(this.#ofJob(this.#done, jobId), `isStream=${isStream}`);
  }

  /** `undefined` when the platform gave no address for chunks. */
  stream(jobId: string): string | undefined {
    return this.#stream && withQuery(this.#ofJob(this.#stream, jobId), 'isStream=false');
  }

  /** `undefined` when the platform gave no address for heartbeats. */
  ping(parameters: Readonly<Record<string, string>>): string | undefined {
    return this.#ping && pingUrl(this.#ping, this.#workerId, parameters);
  }

  #ofWorker(template: string): string {
    return ofWorker(template, this.#workerId);
  }

  #ofJob(template: string, jobId: string): string {
    return template
      .replaceAll('$RUNPOD_POD_ID', () => encodeURIComponent(this.#workerId))
      .replaceAll('$ID', () => encodeURIComponent(jobId));
  }
}

/**
 * The template of heartbeats, for a worker that serves no queue.
 *
 * @throws SettingsError when it can't be used.
 */
export function pingTemplate(settings: Pick<RunpodQueueSettings, Variable>): string | undefined {
  return optional('RUNPOD_WEBHOOK_PING', settings);
}

export function pingUrl(
  template: string,
  workerId: string,
  parameters: Readonly<Record<string, string>>,
): string {
  return withQuery(ofWorker(template, workerId), new URLSearchParams(parameters).toString());
}

function ofWorker(template: string, workerId: string): string {
  const id = encodeURIComponent(workerId);
  return template.replaceAll('$RUNPOD_POD_ID', () => id).replaceAll('$ID', () => id);
}

function required(
  name: Variable,
  settings: Partial<Record<Variable, string | undefined>>,
  part?: string,
): string {
  const template = optional(name, settings, part);
  if (template === undefined) throw new SettingsError(`${name} is not set: the queue protocol needs it`);
  return template;
}

/** The value itself is never part of the message: it may carry a key. */
function optional(
  name: Variable,
  settings: Partial<Record<Variable, string | undefined>>,
  part?: string,
): string | undefined {
  const template = settings[name];
  if (template === undefined) return undefined;
  let url: URL;
  try {
    url = new URL(template);
  } catch {
    throw new SettingsError(`${name} is not a URL; expected a template such as https://host/path/$ID`);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new SettingsError(`${name} begins with ${url.protocol}// and must be an http or https URL`);
  if (part !== undefined && !template.includes(part))
    throw new SettingsError(`${name} has no ${part}: jobs could not be told apart`);
  return template;
}

function withQuery(url: string, query: string): string {
  return `${url}${url.includes('?') ? '&' : '?'}${query}`;
}
