import Pusher, { type Channel, type Options } from 'pusher-js';
import type { RealtimeInfo } from './realtime.js';
import type { ChannelContext, ChannelListener, Transport } from './transport.js';

/** What is needed of a `Pusher` of pusher-js, whoever made it. */
export type PusherLike = Pick<Pusher, 'connection' | 'channel' | 'subscribe' | 'unsubscribe'>;

/** A transport with a connection of its own. `options` go over what the server says: timeouts, say. */
export function pusherTransport(options: Partial<Options> = {}): Transport {
  return {
    open(info, context, listener) {
      const link: Link = { context, listener };
      const pusher = new Pusher(info.key, {
        ...place(info, context.base),
        disableStats: true,
        channelAuthorization: authorization(link),
        ...options,
      });
      link.pusher = pusher;
      const hasty = reconnectSooner(pusher);
      const close = attach(pusher, info.channel, listener, () => hasty.isAtIt);
      return () => {
        link.context = link.listener = undefined;
        close();
        pusher.disconnect();
        hasty.end();
        Pusher.instances = Pusher.instances.filter((instance) => instance !== pusher);
      };
    },
  };
}

/** What a connection is for. pusher-js keeps every Pusher for the life of the page: a closed one must not hold what is ours. */
interface Link {
  context: ChannelContext | undefined;
  listener: ChannelListener | undefined;
  pusher?: Pusher;
}

function authorization(link: Link): NonNullable<Options['channelAuthorization']> {
  return {
    // Required by the types; the handler is what is called.
    transport: 'ajax',
    endpoint: '',
    customHandler: ({ socketId, channelName }, callback) => {
      const isCurrent = () => link.listener !== undefined && link.pusher?.connection.socket_id === socketId;
      link.context?.authorize(socketId, channelName, isCurrent).then(
        (auth) => isCurrent() && callback(null, { auth }),
        (error: Error & { status?: number }) => {
          if (isCurrent()) {
            link.listener?.refused(error.message, error.status);
          }
        },
      );
    },
  };
}

/** A transport over the connection of a Laravel Echo, or of any `Pusher` of pusher-js. It authorizes channels in its own way, and is left connected. */
export function echoTransport(echo: { readonly connector: { readonly pusher: PusherLike } } | PusherLike): Transport {
  const pusher = 'connector' in echo ? echo.connector.pusher : echo;
  return { open: (info, _context, listener) => attach(pusher, info.channel, listener) };
}

/** How long the first attempt to connect may take, and any, in milliseconds. */
const ATTEMPT = 4_000;
const LONGEST_ATTEMPT = 10_000;

/** After an attempt that failed at once, pusher-js waits for 15 to 60 s. This begins another one before that, with jitter. */
function reconnectSooner(pusher: Pusher): { readonly isAtIt: boolean; end(): void } {
  let attempts = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const hasty = { isAtIt: false, end: () => clearTimeout(timer) };
  const again = () => {
    hasty.isAtIt = true;
    pusher.disconnect();
    pusher.connect();
    hasty.isAtIt = false;
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
  pusher.connection.bind('state_change', () => hasty.isAtIt || look());
  look();
  return hasty;
}

function attach(pusher: PusherLike, name: string, listener: ChannelListener, ignores = () => false): () => void {
  const wasThere = (pusher.channel(name) as Channel | undefined) !== undefined;
  const channel = pusher.subscribe(name);
  const succeeded = () => listener.subscribed();
  const failed = (error?: { error?: unknown; status?: unknown }) => {
    const status = typeof error?.status === 'number' ? error.status : undefined;
    listener.refused(status === undefined ? 'the channel was refused' : `the channel was refused: ${status}`, status);
  };
  const event = (event: string, data: unknown) => listener.event(event, data);
  const moved = ({ current }: { current: string }) => {
    if (ignores()) {
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

/** Where the connection goes. */
function place(info: RealtimeInfo, base: URL): Options {
  if (info.cluster !== null) {
    return { cluster: info.cluster, forceTLS: true, enabledTransports: ['wss'] };
  }
  const isOwn = info.host === null;
  // A page of https may open no other connections.
  const isTls = globalThis.location?.protocol === 'https:' || (isOwn ? base.protocol === 'https:' : info.scheme !== 'http');
  const port = (isOwn ? Number(base.port) : info.port) || (isTls ? 443 : 80);
  const path = [isOwn ? base.pathname : '', info.path].flatMap((part) => part.split('/')).filter((part) => part !== '');
  return {
    cluster: '',
    wsHost: info.host ?? base.hostname,
    wsPort: port,
    wssPort: port,
    forceTLS: isTls,
    // The other would be tried in vain after each failure.
    enabledTransports: [isTls ? 'wss' : 'ws'],
    ...(path.length > 0 ? { wsPath: `/${path.join('/')}` } : {}),
  };
}
