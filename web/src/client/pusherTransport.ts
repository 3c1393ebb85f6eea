import Pusher, { type Channel, type Options } from 'pusher-js';
import type { RealtimeInfo } from './realtime.js';
import type { ChannelContext, ChannelListener, Transport } from './transport.js';

/** The part of a pusher-js `Pusher` that a transport uses. */
export type PusherLike = Pick<Pusher, 'connection' | 'channel' | 'subscribe' | 'unsubscribe'>;

/**
 * Creates a transport with its own connection. `options` override what the server says, such as
 * timeouts.
 */
export function pusherTransport(options: Partial<Options> = {}): Transport {
  return {
    open(info, context, listener) {
      const user: User = { context, listener };
      const pusher = new Pusher(info.key, {
        ...address(info, context.base),
        disableStats: true,
        channelAuthorization: authorization(user),
        ...options,
      });
      user.pusher = pusher;
      const sooner = reconnectSooner(pusher);
      const close = attach(pusher, info.channel, listener, () => sooner.isReconnecting);
      return () => {
        user.context = user.listener = undefined;
        close();
        pusher.disconnect();
        sooner.end();
        Pusher.instances = Pusher.instances.filter((instance) => instance !== pusher);
      };
    },
  };
}

/**
 * The user of a connection. pusher-js keeps every `Pusher` for the life of the page, so a closed
 * one must not hold our objects.
 */
interface User {
  context: ChannelContext | undefined;
  listener: ChannelListener | undefined;
  pusher?: Pusher;
}

function authorization(user: User): NonNullable<Options['channelAuthorization']> {
  return {
    // The types require these; only the handler is used.
    transport: 'ajax',
    endpoint: '',
    customHandler: ({ socketId, channelName }, callback) => {
      const isCurrent = () => user.listener !== undefined && user.pusher?.connection.socket_id === socketId;
      user.context?.authorize(socketId, channelName, isCurrent).then(
        (auth) => isCurrent() && callback(null, { auth }),
        (error: Error & { status?: number }) => {
          if (isCurrent()) {
            user.listener?.refused(error.message, error.status);
          }
        },
      );
    },
  };
}

/**
 * Creates a transport over the connection of a Laravel Echo or any pusher-js `Pusher`. That
 * connection authorizes channels in its own way, and stays open.
 */
export function echoTransport(echo: { readonly connector: { readonly pusher: PusherLike } } | PusherLike): Transport {
  const pusher = 'connector' in echo ? echo.connector.pusher : echo;
  return { open: (info, _context, listener) => attach(pusher, info.channel, listener) };
}

/** How long the first attempt to connect may take, and how long any, in milliseconds. */
const ATTEMPT = 4_000;
const LONGEST_ATTEMPT = 10_000;

/**
 * Reconnects sooner, with jitter: after an attempt that fails at once, pusher-js waits 15 to 60 s.
 */
function reconnectSooner(pusher: Pusher): { readonly isReconnecting: boolean; end(): void } {
  let attempts = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const sooner = { isReconnecting: false, end: () => clearTimeout(timer) };
  const again = () => {
    sooner.isReconnecting = true;
    pusher.disconnect();
    pusher.connect();
    sooner.isReconnecting = false;
    look();
  };
  const look = () => {
    clearTimeout(timer);
    const { state } = pusher.connection;
    if (state === 'connected') {
      attempts = 0;
    } else if (state === 'connecting' || state === 'unavailable') {
      timer = setTimeout(again, Math.min(LONGEST_ATTEMPT, ATTEMPT * 2 ** attempts) * (0.5 + Math.random() / 2));
      attempts += 1;
    }
  };
  pusher.connection.bind('state_change', () => sooner.isReconnecting || look());
  look();
  return sooner;
}

function attach(pusher: PusherLike, name: string, listener: ChannelListener, isIgnored = () => false): () => void {
  const wasThere = (pusher.channel(name) as Channel | undefined) !== undefined;
  const channel = pusher.subscribe(name);
  const succeeded = () => listener.subscribed();
  const failed = (error?: { error?: unknown; status?: unknown }) => {
    const status = typeof error?.status === 'number' ? error.status : undefined;
    listener.refused(status === undefined ? 'the channel was refused' : `the channel was refused: ${status}`, status);
  };
  const event = (event: string, data: unknown) => listener.event(event, data);
  const moved = ({ current }: { current: string }) => {
    if (isIgnored()) {
      return;
    }
    if (current === 'failed' || current === 'disconnected') {
      listener.refused(`the connection is ${current}`);
    } else if (current !== 'connected') {
      listener.interrupted();
    }
  };
  const listen = (bind: 'bind' | 'unbind') => {
    channel[bind]('pusher:subscription_succeeded', succeeded);
    channel[bind]('pusher:subscription_error', failed);
    channel[`${bind}_global`](event);
    pusher.connection[bind]('state_change', moved);
  };
  listen('bind');
  if (channel.subscribed) {
    succeeded();
  }
  return () => {
    listen('unbind');
    if (!wasThere) {
      pusher.unsubscribe(name);
    }
  };
}

/** Returns the address of the connection. */
function address(info: RealtimeInfo, base: URL): Options {
  if (info.cluster !== null) {
    return { cluster: info.cluster, forceTLS: true, enabledTransports: ['wss'] };
  }
  const isOwn = info.host === null;
  // A page loaded over https may open only encrypted connections.
  const isTls = globalThis.location?.protocol === 'https:' || (isOwn ? base.protocol === 'https:' : info.scheme !== 'http');
  const port = (isOwn ? Number(base.port) : info.port) || (isTls ? 443 : 80);
  const path = [isOwn ? base.pathname : '', info.path].flatMap((part) => part.split('/')).filter((part) => part !== '');
  return {
    cluster: '',
    wsHost: info.host ?? base.hostname,
    wsPort: port,
    wssPort: port,
    forceTLS: isTls,
    // Otherwise pusher-js would try the other one after each failure.
    enabledTransports: [isTls ? 'wss' : 'ws'],
    ...(path.length > 0 ? { wsPath: `/${path.join('/')}` } : {}),
  };
}
