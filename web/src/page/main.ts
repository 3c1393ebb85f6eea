import { define } from '../elements/define.js';
import { h } from '../elements/dom.js';
import { field, input } from './compose.js';
import { accountsOf, type Account } from './fragment.js';
import { Side } from './side.js';
import { Story } from './story.js';

/** How many users fit side by side. */
const MOST_SIDES = 4;

define();
const accounts = accountsOf(location.hash).slice(0, MOST_SIDES);
addEventListener('hashchange', () => location.reload());
if (accounts.length > 0) {
  show(accounts);
} else {
  signIn();
}

/** Shows the users side by side. A single user gets only the inbox. */
function show(accounts: readonly Account[]): void {
  const story = new Story();
  const isDemo = accounts.length > 1;
  const sides: Side[] = [];
  const isOffline = (user: string): boolean => sides.some((side) => side.user === user && side.isOffline);
  for (const account of accounts) {
    const others = accounts.map(({ user }) => user).filter((user) => user !== account.user);
    sides.push(new Side(account, isDemo ? others : null, story, isOffline));
  }
  const lead = isDemo
    ? 'Each side is one user’s device. Every notification is stored first and then delivered live, so nothing is lost while a device is offline.'
    : 'One user’s device. A notification opened here is opened on every device and tab.';
  document.body.replaceChildren(
    title(lead, ...(isDemo ? [story.steps] : [])),
    h('main', { class: 'sides' }, ...sides.map(({ element }) => element)),
    h('footer', {}, h('h2', {}, 'What happened'), story.lines),
  );
}

/** Shows the form to sign in. The token stays in memory until the page is left. */
function signIn(): void {
  const form = h(
    'form',
    { class: 'sign-in' },
    h('h2', {}, 'Sign in'),
    field('User id', input('user', { required: '', autofocus: '' })),
    field('Token', input('token', { required: '', type: 'password' })),
    h('p', {}, 'The token stays in this page’s memory. On the server’s machine, this command creates one: ', h('code', {}, 'internal-notifications token --user ada --push')),
    h('button', { type: 'submit', class: 'primary' }, 'Show the inbox'),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const { user, token } = Object.fromEntries(new FormData(form)) as Record<string, string>;
    show([{ user: user!.trim(), token: token!.trim() }]);
  });
  document.body.replaceChildren(title('The inbox of one user of this server.'), h('main', {}, form));
}

function title(lead: string, ...rest: readonly Node[]): HTMLElement {
  return h('header', { class: 'title' }, h('h1', {}, 'Internal notifications'), h('p', {}, lead), ...rest);
}
