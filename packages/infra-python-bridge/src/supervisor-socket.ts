import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { z } from 'zod';
import { type Frame, FrameReader, frameKind } from './frames.ts';

const helloSchema = z.object({
  runner: z.int(),
  channel: z.enum(['data', 'control']),
  pid: z.int(),
  /** Set when user code closed the first connection and the runner is back with this request's answer. */
  resumed: z.int().optional(),
});

export type Hello = z.output<typeof helloSchema>;

/** What to do with the frames of one connection. */
export type ConnectionListener = (hello: Hello, socket: Socket) => ((frame: Frame) => void) | undefined;

/** The Unix socket where runners report. It lies in a directory that only the supervisor's user can enter. */
export class SupervisorSocket {
  readonly #server: Server;
  readonly #path: string;
  readonly #connections = new Set<Socket>();

  constructor(directory: string, listener: ConnectionListener) {
    this.#path = join(directory, 'supervisor.sock');
    this.#server = createServer((socket) => this.#accept(socket, listener));
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#path, () => resolve());
    });
  }

  async close(): Promise<void> {
    for (const socket of this.#connections) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(socket: Socket, listener: ConnectionListener): void {
    this.#connections.add(socket);
    socket.once('close', () => this.#connections.delete(socket));
    // A runner that dies resets its connection; its end is reported by the zygote.
    socket.on('error', () => {});
    const reader = new FrameReader();
    let onFrame: ((frame: Frame) => void) | undefined;
    const route = (frame: Frame): void => {
      if (onFrame !== undefined) return onFrame(frame);
      const hello = helloSchema.safeParse(frame.kind === frameKind.hello ? parseHeader(frame) : undefined);
      onFrame = hello.success ? listener(hello.data, socket) : undefined;
      if (onFrame === undefined) socket.destroy();
    };
    socket.on('data', (piece: Buffer) => reader.push(piece, route));
  }
}

function parseHeader(frame: Frame): unknown {
  return JSON.parse(frame.header.toString());
}
