import { InternalNotificationsClient } from '../client/client.js';
import type { Status } from '../client/snapshot.js';
import { clip } from '../elements/clip.js';
import { h, setText } from '../elements/dom.js';
import type { InboxNotification } from '../models/notification.js';
import { compose } from './compose.js';
import { accountsOf, fragmentOf, type Account } from './fragment.js';
import { newId, push } from './push.js';
import type { Story } from './story.js';

const STATUS: Record<Status, string> = {
  idle: 'Signed out',
  connecting: 'Connecting…',
  live: 'Live',
  'catching-up': 'Catching up…',
  offline: 'Offline',
  polling: 'Live events refused',
  paused: 'Offline',
  failed: 'Failed',
};

/** When each notification was sent from this page, by `performance.now()`. */
const sent = new Map<string, number>();

/** One user's device: bell, inbox, a switch to go offline, and a form. */
export class Side {
  readonly element: HTMLElement;
  readonly user: string;
  readonly #story: Story;
  readonly #client: InternalNotificationsClient;
  readonly #status = h('span', { class: 'status', role: 'status' });
  #missed = 0;
  #backSince: number | undefined;

  constructor(account: Account, recipients: readonly string[] | null, story: Story, isOffline: (user: string) => boolean) {
    this.user = account.user;
    this.#story = story;
    this.#client = new InternalNotificationsClient({ server: new URL('.', location.href), ...account });
    const bell = document.createElement('internal-notifications-bell');
    const inbox = document.createElement('internal-notifications-inbox');
    bell.client = inbox.client = this.#client;
    const online = h('input', { type: 'checkbox', role: 'switch', checked: '' });
    online.addEventListener('change', () => this.#switch(online.checked));
    // After a sign-in by the form the token must stay in memory, so there is no link with it.
    const tabs = accountsOf(location.hash).length > 0 ? [h('p', { class: 'tab' }, secondTab(account))] : [];
    let unconfirmed: { readonly text: string; readonly id: string } | undefined;
    this.element = h(
      'section',
      { class: 'side', 'aria-label': `${account.user}’s device` },
      h(
        'header',
        {},
        h('span', { class: 'face', 'aria-hidden': 'true' }, [...account.user][0] ?? ''),
        h('div', { class: 'who' }, h('h2', { dir: 'auto' }, account.user), this.#status),
        h('label', { class: 'switch' }, online, h('span', {}, 'Online')),
        bell,
      ),
      inbox,
      compose(recipients, async (draft) => {
        // A repeat after a lost answer must be the same notification, so it keeps its id.
        const text = JSON.stringify(draft);
        const id = unconfirmed?.text === text ? unconfirmed.id : newId();
        unconfirmed = { text, id };
        sent.set(id, performance.now());
        await push(account, draft, id);
        unconfirmed = undefined;
        const later = isOffline(draft.to) ? ', who is offline; the server has stored it' : '';
        this.#story.log(`${account.user} sent “${clip(draft.heading || draft.content, 60)}” to ${draft.to}${later}.`);
      }),
      ...tabs,
    );
    this.element.addEventListener('internal-notification-open', (event) => {
      event.preventDefault();
      const where = event.detail.path ? ` An app would now open ${event.detail.path}` : '';
      this.#story.log(`${this.user} opened ${name(event.detail.notification)}.${where}`);
    });
    this.element.addEventListener('internal-notification-button', ({ detail }) => {
      this.#story.log(`${this.user} pressed the button ${JSON.stringify(detail.id)} of ${name(detail.notification)}.`);
    });
    this.#client.onSnapshot(({ status }) => this.#show(status));
    this.#client.onAnnouncement((one) => one.kind === 'notification' && this.#arrived(one.notification));
    this.#show(this.#client.snapshot.status);
    this.#follow();
    this.#client.start();
  }

  get isOffline(): boolean {
    return this.#client.snapshot.status === 'paused';
  }

  #switch(isOn: boolean): void {
    if (isOn) {
      this.#backSince = performance.now();
      this.#missed = 0;
      this.#client.resume();
    } else {
      this.#client.pause();
      this.#story.log(`${this.user} is offline. The server stores what is sent meanwhile.`);
      this.#story.done('offline');
    }
  }

  #arrived(notification: InboxNotification): void {
    const at = sent.get(notification.id);
    sent.delete(notification.id);
    if (this.#backSince !== undefined) {
      this.#missed += 1;
    } else {
      const took = at === undefined ? '' : `, ${Math.round(performance.now() - at)} ms after it was sent`;
      this.#story.log(`${name(notification)} arrived at ${this.user}${took}.`);
      this.#story.done('send');
    }
  }

  #show(status: Status): void {
    this.element.dataset.status = status;
    setText(this.#status, STATUS[status]);
    if (status === 'live' && this.#backSince !== undefined) {
      const took = Math.round(performance.now() - this.#backSince);
      const missed = this.#missed === 1 ? '1 missed notification' : `${this.#missed} missed notifications`;
      this.#story.log(`${this.user} is back. ${missed} arrived, ${took} ms after the switch.`);
      this.#story.done('back');
      this.#backSince = undefined;
    }
  }

  /**
   * Logs when something was opened in another tab or device: when the count falls without a write
   * here.
   */
  #follow(): void {
    let before = this.#client.snapshot;
    this.#client.onSnapshot((now) => {
      const isElsewhere = now.unconfirmed === 0 && before.unconfirmed === 0;
      if (isElsewhere && now.status === 'live' && before.status === 'live' && now.pending < before.pending) {
        this.#story.log(`${this.user} opened something in another tab or device. This tab followed: ${now.pending} unread.`);
        this.#story.done('open');
      }
      before = now;
    });
  }
}

function secondTab(account: Account): HTMLElement {
  return h('a', { href: fragmentOf([account]), target: '_blank', rel: 'noopener' }, 'Open a second tab');
}

function name({ heading, content }: InboxNotification): string {
  return `“${clip(heading || content, 60)}”`;
}
