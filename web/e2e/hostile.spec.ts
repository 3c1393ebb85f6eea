import { expect, test } from './fixtures/elements.js';

const MARKUP = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script><svg onload="window.hacked=1">';

test('markup and scripts are shown as text', async ({ page }) => {
  await page.evaluate((markup) => {
    const { FakeSource, notification, show } = window.stage;
    const buttons = [{ id: markup, text: markup, icon: 'javascript:window.hacked=1' }];
    show(new FakeSource([notification(1, { id: markup, heading: markup, content: markup, buttons, image_url: markup, sender: markup })]));
    window.stage.source.announce({ kind: 'notification', notification: window.stage.source.snapshot.notifications[0]! });
  }, MARKUP);
  await expect(page.locator('internal-notifications-inbox [part=heading]')).toHaveText(MARKUP);
  await expect(page.locator('internal-notifications-inbox article img')).toHaveCount(0);
});

for (const path of ['javascript:window.hacked=1', 'JAVASCRIPT:window.hacked=1', 'data:text/html,<script>opener.hacked=1</script>', '//evil.example/', '/\\evil.example/', '/.//evil.example']) {
  test(`a click on a notification with the path ${path} goes nowhere`, async ({ page }) => {
    await page.evaluate((path) => {
      const { FakeSource, notification, show } = window.stage;
      show(new FakeSource([notification(1, { payload: { path }, image_url: path })]));
    }, path);
    const here = page.url();
    await page.locator('internal-notifications-inbox article').click();
    await expect(page.locator('internal-notifications-inbox [part~=item-unopened]')).toHaveCount(0);
    await page.locator('internal-notifications-inbox article').click({ modifiers: ['Control'] });
    expect(page.url()).toBe(here);
    expect(page.context().pages()).toHaveLength(1);
    await expect(page.locator('internal-notifications-inbox img')).toHaveCount(0);
  });
}

test('megabytes do not hang the page', async ({ page }) => {
  const took = await page.evaluate(async () => {
    const { FakeSource, notification, show } = window.stage;
    const long = { heading: 'W'.repeat(5_000_000), content: '\u202e\n\u0301'.repeat(2_000_000) };
    const buttons = [...Array(1_000).keys()].map((id) => ({ id: String(id), text: 'x'.repeat(100_000) }));
    const start = performance.now();
    show(new FakeSource([notification(2), notification(1, { ...long, buttons, payload: { path: `/${'x'.repeat(5_000_000)}` } })]));
    window.stage.source.announce({ kind: 'notification', notification: window.stage.source.snapshot.notifications[1]! });
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    return performance.now() - start;
  });
  expect(took).toBeLessThan(2_000);
  await page.locator('internal-notifications-inbox [part=more]').last().click();
  await page.locator('internal-notifications-inbox article').first().click();
  await expect(page.getByText('1 unread')).toBeVisible();
});

test('a direction override affects only its own text', async ({ page }) => {
  const places = await page.evaluate(() => {
    const { FakeSource, notification, show } = window.stage;
    const open = '\u202e\u2067\u202b';
    const fields = { heading: `abc ${open}`, content: `def ${open}`, buttons: [{ id: 'a', text: `ghi ${open}` }, { id: 'b', text: 'Second' }] };
    const plain = { heading: 'abc ', content: 'def ', buttons: [{ id: 'a', text: 'ghi ' }, { id: 'b', text: 'Second' }] };
    const read = (): unknown =>
      [...document.querySelectorAll('internal-notifications-inbox')].map((inbox) =>
        [...inbox.shadowRoot!.querySelectorAll('article:last-child [part], article:first-child time')].map((element) => {
          const { x, y } = element.getBoundingClientRect();
          return [element.getAttribute('part'), Math.round(x), Math.round(y), getComputedStyle(element).direction];
        }),
      );
    return [fields, plain].map((first) => {
      show(new FakeSource([notification(2, first), notification(1, { heading: 'After', content: 'it' })]));
      return read();
    });
  });
  expect(places[0]).toEqual(places[1]);
});
