// A line between instances and their host that can be cut while something is under way.
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** Passes on all that comes, both ways. */
export interface CutLine {
  /** Of the host, through this line. */
  readonly url: string;
  /** Ends all connections at once, in the middle of whatever is sent. */
  cut(): void;
  close(): void;
}

/** A line to the host at `url`. */
export async function cutLine(url: string): Promise<CutLine> {
  const ends = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(new URL(url).port), '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      ends.add(from);
      from.on('data', (data) => to.write(data));
      // The other end is told by the close that follows.
      from.on('error', () => undefined);
      from.on('close', () => {
        ends.delete(from);
        to.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = (): void => {
    for (const end of ends) end.resetAndDestroy();
  };
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    cut,
    close() {
      cut();
      server.close();
    },
  };
}
