export * from './client/types.js';
export { InternalNotificationsClient } from './client/client.js';
export type { ClientOptions } from './client/options.js';
export type { TokenSource } from './client/identity.js';
export { echoTransport, pusherTransport, type PusherLike } from './client/pusherTransport.js';
export type { RealtimeInfo } from './client/realtime.js';
export type { ChannelContext, ChannelListener, Transport } from './client/transport.js';
export { MAX_WINDOW } from './replica/inbox.js';
