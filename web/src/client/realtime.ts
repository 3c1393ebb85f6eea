import { at, count, object, optional, text, WireError, type Reader } from '../models/read.js';

/** What a client needs to receive live events: the answer of `GET /v1/realtime`. */
export interface RealtimeInfo {
  readonly key: string;
  /** The user's own channel. */
  readonly channel: string;
  /** Where to get authorizations: a path of the inbox server, or a URL. */
  readonly auth_endpoint: string;
  /** What stands before `/app/KEY` in the WebSocket's path; mostly empty. */
  readonly path: string;
  /** The names of the events of a new notification, and of every other change. */
  readonly event: string;
  readonly changed_event: string;
  /** Seconds between position checks. */
  readonly position_check_seconds: number;
  /** The cluster at pusher.com; or the engine's host, port and scheme; or none of them: the inbox server's own. */
  readonly cluster: string | null;
  readonly host: string | null;
  readonly port: number | null;
  readonly scheme: string | null;
}

/** A text that fits a part of a URL or a channel name. */
function matching(form: RegExp): Reader<string> {
  return (value, key) => {
    if (typeof value !== 'string' || !form.test(value)) {
      throw new WireError(`\`${key}\` is not what it names`);
    }
    return value;
  };
}

const segment = matching(/^[\w.:[\]-]+$/);

export const realtimeInfo: Reader<RealtimeInfo> = (value, key) => {
  const json = object(value, key);
  return {
    key: at(json, 'key', segment),
    channel: at(json, 'channel', matching(/^private-(?!encrypted-)[\w=@,.;-]+$/)),
    auth_endpoint: at(json, 'auth_endpoint', text),
    path: at(json, 'path', optional(matching(/^[\w./~-]*$/))) ?? '',
    event: at(json, 'event', text),
    changed_event: at(json, 'changed_event', text),
    position_check_seconds: at(json, 'position_check_seconds', count),
    cluster: at(json, 'cluster', optional(segment)),
    host: at(json, 'host', optional(segment)),
    port: at(json, 'port', optional(count)),
    scheme: at(json, 'scheme', optional(matching(/^https?$/))),
  };
};
