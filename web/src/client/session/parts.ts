import type { Inbox } from '../../replica/inbox.js';
import type { Api } from '../api.js';
import type { ClientOptions } from '../options.js';
import type { Hold } from '../retryAfter.js';
import type { LiveChannel } from './liveChannel.js';
import type { WriteBackoff } from './writeBackoff.js';
import type { Publisher } from './publisher.js';
import type { Schedule } from './schedule.js';
import type { PendingCalls } from './pendingCalls.js';

/** The parts of a session that its queries and its writes work on. */
export interface Parts {
  readonly options: ClientOptions;
  readonly api: Api;
  readonly inbox: Inbox;
  readonly channel: LiveChannel;
  readonly schedule: Schedule;
  readonly writeBackoff: WriteBackoff;
  readonly hold: Hold;
  readonly calls: PendingCalls;
  readonly publisher: Publisher;
  /** Publishes the new state, and looks for what to send, soon. */
  readonly changed: () => void;
}
