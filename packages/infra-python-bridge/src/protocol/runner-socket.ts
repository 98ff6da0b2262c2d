import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { type Frame, FrameReader, frameKind } from './frames.ts';

/** Which runner has connected, and what for. */
export interface Hello {
  readonly runner: number;
  readonly channel: 'data' | 'control';
  readonly pid: number;
  /** Set when user code closed the first connection and the runner is back with this request's answer. */
  readonly resumed?: number;
}

export interface ConnectionListener {
  /** What to do with the frames of a connection; `undefined` refuses it. */
  onHello(hello: Hello, socket: Socket): ((frame: Frame) => void) | undefined;
  /** A runner's connection carries what is no frame, as when user code writes into it: nothing on it can be trusted any more. */
  onGarbage(hello: Hello | undefined, error: Error): void;
}

/** A socket that listens already, and the connections that came before there was a {@link RunnerSocket}. */
export interface OpenedSocket {
  readonly server: Server;
  readonly early: readonly Socket[];
}

/** The Unix socket where runners report. It lies in a directory that only the supervisor's user can enter. */
export class RunnerSocket {
  readonly #server: Server;
  readonly #path: string;
  readonly #connections = new Set<Socket>();
  readonly #maxFrameBytes: number;

  /** @param opened - where the first runner has reported already, if it has. */
  constructor(
    directory: string,
    maxFrameBytes: number,
    listener: ConnectionListener,
    opened: OpenedSocket | undefined,
  ) {
    this.#maxFrameBytes = maxFrameBytes;
    this.#path = join(directory, 'supervisor.sock');
    this.#server = opened?.server ?? createServer({ pauseOnConnect: true });
    this.#server.removeAllListeners('connection');
    this.#server.on('connection', (socket) => this.#accept(socket, listener));
    for (const socket of opened?.early ?? []) this.#accept(socket, listener);
  }

  async listen(): Promise<void> {
    if (this.#server.listening) return;
    await new Promise<void>((resolve, reject) => {
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
    const reader = new FrameReader(this.#maxFrameBytes);
    let hello: Hello | undefined;
    let onFrame: ((frame: Frame) => void) | undefined;
    const route = (frame: Frame): void => {
      if (onFrame !== undefined) return onFrame(frame);
      hello = readHello(frame);
      onFrame = listener.onHello(hello, socket);
      if (onFrame === undefined) socket.destroy();
    };
    socket.resume();
    socket.on('data', (piece: Buffer) => {
      try {
        reader.push(piece, route);
      } catch (error) {
        socket.destroy();
        listener.onGarbage(hello, error as Error);
      }
    });
  }
}

/** Checks by hand, as every start would wait for the first use of zod. */
function readHello(frame: Frame): Hello {
  const hello: Partial<Hello> = frame.kind === frameKind.hello ? JSON.parse(frame.header.toString()) : {};
  const { runner, channel, pid, resumed } = hello ?? {};
  const isHello =
    Number.isInteger(runner) &&
    Number.isInteger(pid) &&
    (channel === 'data' || channel === 'control') &&
    (resumed === undefined || Number.isInteger(resumed));
  if (!isHello) throw new TypeError('a connection must begin with a hello');
  return hello as Hello;
}
