// What may reach a server on the loopback interface: pages of others, in the same browser, can send requests there, too.

/** Whether the Host header is a name of this machine: one that was made to lead here would make an origin look like ours. */
export function namesLoopback(host: string | undefined): boolean {
  return host !== undefined && /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?$/.test(host);
}
