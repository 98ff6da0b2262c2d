import { HttpCallError, HttpClient } from '@flash/http-client';
import { type FlashManifest, type Log, validationMessage, workerVersion } from '@flash/worker-core';
import pRetry from 'p-retry';
import * as z from 'zod';
import { parseManifest } from './manifest-file.ts';
import type { ManifestSettings } from './settings.ts';

const environmentQuery =
  'query ($id: String!) { flashEnvironment(flashEnvironmentId: $id) { activeBuildId } }';
const buildQuery = 'query ($id: String!) { flashBuild(flashBuildId: $id) { id manifest } }';
const [firstPauseMs, longestPauseMs] = [500, 5000];

const answerSchema = z.lazy(() =>
  z.looseObject({
    data: z.record(z.string(), z.unknown()).nullish(),
    errors: z
      .array(
        z.looseObject({
          message: z.string(),
          extensions: z.looseObject({ code: z.string() }).nullish().catch(null),
        }),
      )
      .nullish(),
  }),
);
const environmentSchema = z.lazy(() =>
  z.object({ flashEnvironment: z.object({ activeBuildId: z.string() }) }),
);
const buildSchema = z.lazy(() =>
  z.object({ flashBuild: z.object({ id: z.string(), manifest: z.unknown() }) }),
);
const passingError =
  /time.?d?.?out|unavailable|temporar|try again|rate|throttl|overload|internal|connection/i;

/** The State Manager answered with something that another attempt can't better. */
class FinalError extends Error {}

/** What the State Manager has of an environment. */
export interface ActiveBuild {
  readonly buildId: string;
  readonly manifest: FlashManifest;
}

/** Client of the State Manager: GraphQL over HTTP (docs/reference/protocol.md, State Manager). */
export class StateManager {
  readonly #settings: ManifestSettings;
  readonly #http: HttpClient;
  readonly #log: Log;

  constructor(settings: ManifestSettings, apiKey: string, log: Log) {
    this.#settings = settings;
    this.#log = log;
    this.#http = new HttpClient({
      headers: {
        'user-agent': `flash-worker/${workerVersion}`,
        'content-type': 'application/json',
        authorization: `Bearer ${apiKey}`,
      },
      secrets: [apiKey],
      maxAnswerBytes: settings.FLASH_MANIFEST_MAX_BYTES,
      maxAnswerSetting: 'FLASH_MANIFEST_MAX_BYTES',
    });
  }

  /** @throws Error when it can't be had, after the attempts that the settings allow. */
  activeBuild(environmentId: string): Promise<ActiveBuild> {
    return pRetry(() => this.#fetch(environmentId), {
      retries: this.#settings.FLASH_MANIFEST_ATTEMPTS - 1,
      minTimeout: firstPauseMs,
      maxTimeout: longestPauseMs,
      factor: 2,
      randomize: true,
      shouldRetry: ({ error }) => !isFinal(error),
      onFailedAttempt: ({ error, attemptNumber, retriesLeft }) => {
        if (retriesLeft === 0 || isFinal(error)) return;
        this.#log.write('warn', 'the State Manager did not answer: trying again', {
          attempt: attemptNumber,
          reason: error.message,
        });
      },
    });
  }

  close(): Promise<void> {
    return this.#http.close();
  }

  async #fetch(environmentId: string): Promise<ActiveBuild> {
    const environment = await this.#query(environmentQuery, environmentId, environmentSchema);
    const { activeBuildId } = environment.flashEnvironment;
    const { flashBuild } = await this.#query(buildQuery, activeBuildId, buildSchema);
    const { manifest } = flashBuild;
    try {
      return {
        buildId: activeBuildId,
        manifest: parseManifest(typeof manifest === 'string' ? JSON.parse(manifest) : manifest),
      };
    } catch (error) {
      throw new FinalError(`build ${activeBuildId} has no valid manifest: ${(error as Error).message}`);
    }
  }

  async #query<T extends z.ZodType>(query: string, id: string, schema: T): Promise<z.output<T>> {
    const { RUNPOD_API_BASE_URL: base, FLASH_MANIFEST_TIMEOUT_MS: timeoutMs } = this.#settings;
    const { bytes } = await this.#http.call({
      method: 'POST',
      url: `${base.replace(/\/+$/, '')}/graphql`,
      body: Buffer.from(JSON.stringify({ query, variables: { id } })),
      timeoutMs,
    });
    const answer = answerSchema.parse(readJson(bytes));
    // GraphQL answers 200 with what went wrong inside.
    if (answer.errors?.length) {
      const said = answer.errors
        .map(({ message, extensions }) => `${extensions?.code ?? ''} ${message}`.trim())
        .join('; ');
      throw passingError.test(said) ? new Error(said) : new FinalError(said);
    }
    const data = schema.safeParse(answer.data);
    if (data.success) return data.data;
    throw new FinalError(`the answer for ${id} lacks ${validationMessage(data.error)}`);
  }
}

function readJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    throw new Error(`the answer is not JSON: ${bytes.toString('utf8', 0, 200)}`);
  }
}

/** Refused for good: a key that is no good, an environment that does not exist. */
function isFinal(error: Error): boolean {
  if (error instanceof FinalError) return true;
  const { status } = error instanceof HttpCallError ? error : {};
  return status !== undefined && status >= 400 && status < 500 && status !== 408 && status !== 429;
}
