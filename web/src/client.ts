export * from './client/types.js';
export { InternalNotificationsClient, type ClientOptions } from './client/client.js';
export type { TokenSource } from './client/identity.js';
export { echoTransport, pusherTransport, type PusherLike } from './client/pusherTransport.js';
export type { RealtimeInfo } from './client/realtime.js';
export type { ChannelContext, ChannelListener, Transport } from './client/transport.js';
export { MAX_WINDOW } from './replica/inbox.js';
