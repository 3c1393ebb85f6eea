import AxeBuilder from '@axe-core/playwright';
import { expect, test } from './fixtures/elements.js';

const STATES = ['listed', 'empty', 'loading', 'offline', 'offline-listed', 'paused', 'failed', 'failed-listed', 'idle', 'catching-up', 'bell'];

for (const theme of ['light', 'dark'] as const) {
  for (const state of STATES) {
    test(`axe finds nothing: ${state}, ${theme}`, async ({ page }) => {
      await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
      await page.evaluate((state) => {
        document.documentElement.dataset.only = state === 'bell' ? 'bell' : 'inbox';
        const { FakeSource, notification, show } = window.stage;
        const buttons = [{ id: 'a', text: 'Accept' }, { id: 'b', text: 'Decline' }];
        const rows = [
          notification(4, { buttons, image_url: '/picture.svg' }),
          notification(3, { content: 'Long. '.repeat(100) }),
          notification(2, { heading: null, opened: true }),
          notification(1, { opened: true, heading: 'تم شحن طلبك' }),
        ];
        const [status] = state.split('-listed');
        const listed = /listed|catching|bell/.test(state);
        show(
          new FakeSource(listed ? rows : [], {
            status: /offline|paused|failed|idle|catching-up/.test(status!) ? (status as 'live') : 'live',
            loaded: state !== 'loading',
            ...(status === 'failed' ? { error: { title: 'The token is of another user' } } : {}),
          }),
        );
        if (state === 'bell') {
          document.querySelector('internal-notifications-bell')!.show();
        }
      }, state);
      await page.locator('internal-notifications-inbox [part=panel]:visible').waitFor();
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join('\n')}`)).toEqual([]);
    });
  }
}

test('the theme follows the system, or the page’s choice', async ({ page }) => {
  const surface = (): Promise<string> =>
    page.locator('internal-notifications-inbox [part=panel]').evaluate((panel) => getComputedStyle(panel).backgroundColor);
  await page.emulateMedia({ colorScheme: 'dark' });
  const dark = await surface();
  await page.emulateMedia({ colorScheme: 'light' });
  const light = await surface();
  expect(dark).not.toBe(light);
  await page.locator('internal-notifications-inbox').evaluate((inbox) => inbox.setAttribute('theme', 'dark'));
  expect(await surface()).toBe(dark);
});

test('reduced motion stops every animation', async ({ page }) => {
  const moving = async (reducedMotion: 'reduce' | 'no-preference'): Promise<number> => {
    await page.emulateMedia({ reducedMotion });
    return page.evaluate(() => {
      const { FakeSource, notification, show } = window.stage;
      show(new FakeSource([notification(1)], { status: 'catching-up' }));
      window.stage.source.arrive(notification(2));
      const bell = document.querySelector('internal-notifications-bell')!;
      bell.show();
      const roots = [bell, document.querySelector('internal-notifications-inbox')!].map((element) => element.shadowRoot!);
      const count = roots.flatMap((root) => root.getAnimations()).length;
      bell.hide();
      return count;
    });
  };
  expect(await moving('no-preference')).toBeGreaterThan(2);
  expect(await moving('reduce')).toBe(0);
});

test('parts and custom properties style it, also inside the bell', async ({ page }) => {
  await page.evaluate(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`
      internal-notifications-bell, internal-notifications-inbox { --internal-notifications-accent: rgb(1, 2, 3); }
      internal-notifications-bell::part(heading), internal-notifications-inbox::part(heading) { text-transform: uppercase; }
    `);
    document.adoptedStyleSheets = [sheet];
    const { FakeSource, notification, show } = window.stage;
    show(new FakeSource([notification(1)]));
    document.querySelector('internal-notifications-bell')!.show();
  });
  for (const list of [page.locator('main internal-notifications-inbox'), page.locator('internal-notifications-bell internal-notifications-inbox')]) {
    await expect(list.locator('[part=heading]')).toHaveCSS('text-transform', 'uppercase');
    await expect(list.locator('[part=dot]')).toHaveCSS('background-color', 'rgb(1, 2, 3)');
  }
});

test('forced colours keep the mark of unread notifications', async ({ page }) => {
  await page.emulateMedia({ forcedColors: 'active' });
  await page.evaluate(() => window.stage.show(new window.stage.FakeSource([window.stage.notification(1)])));
  const dot = page.locator('main [part=dot]');
  const colour = await dot.evaluate((element) => getComputedStyle(element).backgroundColor);
  expect(colour).not.toBe(await page.locator('main [part=panel]').evaluate((element) => getComputedStyle(element).backgroundColor));
});
