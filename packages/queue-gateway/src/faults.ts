import type { HttpBindings } from '@hono/node-server';
import type { MiddlewareHandler } from 'hono';

/** The faults that a call can be given on purpose. With a "late" fault the call does its work, and only the answer is lost. */
export const faultKinds = ['status', 'late-status', 'drop', 'late-drop', 'latency', 'duplicate'] as const;

export type FaultKind = (typeof faultKinds)[number];

export interface FaultOptions {
  /** Share of calls that go wrong, from 0 to 1. */
  readonly rate: number;
  readonly kinds: readonly FaultKind[];
  /** HTTP statuses to answer with. */
  readonly statuses: readonly number[];
  /** Longest delay in milliseconds. */
  readonly latencyMs: number;
}

/** Chooses what goes wrong, call by call. */
export class Faults {
  readonly #options: FaultOptions;
  /** How many there were, by kind. */
  readonly counts = new Map<FaultKind, number>();

  constructor(options: FaultOptions) {
    this.#options = options;
  }

  /** Whether this delivery is to be made twice. */
  duplicates(): boolean {
    return this.#strikes(['duplicate']) !== undefined;
  }

  /** Goes around every call of a worker. */
  middleware(): MiddlewareHandler<{ Bindings: HttpBindings }> {
    return async (context, next) => {
      const fault = this.#strikes(['status', 'late-status', 'drop', 'late-drop', 'latency']);
      const socket = context.env.outgoing?.socket;
      switch (fault) {
        case 'latency':
          await new Promise((resolve) => setTimeout(resolve, Math.random() * this.#options.latencyMs));
          return next();
        case 'status':
          return context.json({ error: 'a fault on purpose' }, this.#status());
        case 'late-status':
          await next();
          context.res = undefined;
          context.res = context.json({ error: 'a fault on purpose' }, this.#status());
          return undefined;
        case 'drop':
          socket?.destroy();
          return context.body(null);
        case 'late-drop':
          await next();
          socket?.destroy();
          return undefined;
        default:
          return next();
      }
    };
  }

  #strikes(candidates: readonly FaultKind[]): FaultKind | undefined {
    const kinds = this.#options.kinds.filter((kind) => candidates.includes(kind));
    if (kinds.length === 0 || Math.random() >= this.#options.rate) return undefined;
    const kind = kinds[Math.floor(Math.random() * kinds.length)] as FaultKind;
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    return kind;
  }

  #status(): 500 {
    const { statuses } = this.#options;
    return statuses[Math.floor(Math.random() * statuses.length)] as 500;
  }
}
