import type { CachePart } from '@flash/worker-core';
import type { HydrationReport } from '../hydration.ts';
import type { FetchStage, KeptPlace } from '../kept-place.ts';
import type { MaintenanceReport } from '../maintenance.ts';
import type { PublicationReport } from '../publication.ts';
import type { SessionOptions } from './session-options.ts';

/** What the cache's process can be asked for, and what it answers. */
export interface Calls {
  open: { readonly with: SessionOptions; readonly answer: undefined };
  /** `with`: the part of the cache; none: all of it. */
  hydrate: { readonly with: CachePart | undefined; readonly answer: HydrationReport };
  /** `with`: look at every file. */
  sync: { readonly with: boolean; readonly answer: PublicationReport };
  kept: { readonly with: undefined; readonly answer: readonly string[] };
  fetch: { readonly with: KeptPlace; readonly answer: boolean };
  keep: { readonly with: KeptPlace; readonly answer: number };
  maintain: { readonly with: undefined; readonly answer: MaintenanceReport | undefined };
}

export interface Question {
  readonly call: number;
  readonly name: keyof Calls;
  readonly with: unknown;
}

export type Message =
  | { readonly kind: 'answer'; readonly call: number; readonly answer: unknown }
  | {
      readonly kind: 'failure';
      readonly call: number;
      readonly message: string;
      readonly code: string | undefined;
    }
  /** A directory has come so far. */
  | { readonly kind: 'stage'; readonly call: number; readonly stage: FetchStage }
  | { readonly kind: 'warning'; readonly line: string };
