import { count, matching, optional, record, text, type Reader } from '../models/read.js';

/** How to receive live events: the answer of `GET /v1/realtime`. */
export interface RealtimeInfo {
  readonly key: string;
  /** The user's own channel. */
  readonly channel: string;
  /** Where channels are authorized: a path of the inbox server, or a URL. */
  readonly auth_endpoint: string;
  /** The prefix of `/app/KEY` in the WebSocket URL; usually empty. */
  readonly path: string;
  /** The names of the events: of a new notification, and of every other change. */
  readonly event: string;
  readonly changed_event: string;
  /** Seconds between position checks. */
  readonly position_check_seconds: number;
  /**
   * The cluster at pusher.com, or the engine's host, port and scheme. All are null if the inbox
   * server itself delivers live events.
   */
  readonly cluster: string | null;
  readonly host: string | null;
  readonly port: number | null;
  readonly scheme: string | null;
}

/** A text that is safe as a part of a URL. */
const segment = matching(/^[\w.:[\]-]+$/);
const pathPrefix = optional(matching(/^[\w./~-]*$/));

export const realtimeInfo: Reader<RealtimeInfo> = record({
  key: segment,
  channel: matching(/^private-(?!encrypted-)[\w=@,.;-]+$/),
  auth_endpoint: text,
  path: (value: unknown) => pathPrefix(value) ?? '',
  event: text,
  changed_event: text,
  position_check_seconds: count,
  cluster: optional(segment),
  host: optional(segment),
  port: optional(count),
  scheme: optional(matching(/^https?$/)),
});
