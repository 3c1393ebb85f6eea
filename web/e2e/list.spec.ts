import { expect, test } from './fixtures/elements.js';

test.beforeEach(async ({ page }) => {
  await page.evaluate(() => {
    document.documentElement.dataset.only = 'inbox';
  });
});

test('the whole list works with the keyboard alone', async ({ page }) => {
  await page.evaluate(() => {
    const { FakeSource, notification, show } = window.stage;
    const buttons = [{ id: 'yes', text: 'Yes' }];
    show(new FakeSource([5, 4, 3, 2, 1].map((added) => notification(added, added === 4 ? { buttons } : {}))));
  });
  const focused = (): Promise<string | null | undefined> =>
    page.evaluate(() => {
      const active = document.querySelector('internal-notifications-inbox')!.shadowRoot!.activeElement;
      return active?.closest('article') === active ? active?.querySelector('[part=heading]')?.textContent : active?.textContent || active?.getAttribute('aria-label');
    });
  const press = async (key: string, expected: string): Promise<void> => {
    await page.keyboard.press(key);
    expect(await focused(), key).toBe(expected);
  };
  await press('Tab', 'Mark all as read');
  await press('Tab', 'Heading 5');
  await press('ArrowDown', 'Heading 4');
  await press('Tab', 'Yes');
  await press('Tab', 'Mark as read');
  await press('ArrowDown', 'Heading 3');
  await press('End', 'Heading 1');
  await press('Home', 'Heading 5');
  await press('ArrowUp', 'Heading 5');
  await press('PageDown', 'Heading 4');
  await press('Enter', 'Heading 4');
  await press('ArrowDown', 'Heading 3');
  await press(' ', 'Heading 3');
  await press('Delete', 'Heading 2');
  await press('End', 'Heading 1');
  await press('Delete', 'Heading 2');
  expect(await page.evaluate(() => window.stage.source as unknown as { calls: string[] }).then(({ calls }) => calls)).toEqual([
    'opened n4',
    'opened n3',
    'removed n3',
    'removed n1',
  ]);
  await press('Tab', 'Mark as read');
  await press('Tab', 'Remove');
  await page.keyboard.press('Tab');
  await expect(page.locator('#after')).toBeFocused();
  await page.keyboard.press('Shift+Tab');
  expect(await focused(), 'back into the same article').toBe('Remove');
});

test('removing the last one leaves the focus in the list', async ({ page }) => {
  await page.evaluate(() => {
    const { FakeSource, notification, show } = window.stage;
    show(new FakeSource([notification(1)]));
  });
  await page.locator('article').focus();
  await page.keyboard.press('Delete');
  await expect(page.getByText('You’re all caught up')).toBeVisible();
  expect(await page.evaluate(() => document.activeElement?.localName)).toBe('internal-notifications-inbox');
});

test('a click follows a path of this origin, unless the page cancels it', async ({ page }) => {
  await page.evaluate(() => {
    const { FakeSource, notification, show } = window.stage;
    show(new FakeSource([notification(2, { payload: { path: '/orders/2' } }), notification(1, { payload: { path: '/orders/1' } })]));
    document.addEventListener(
      'internal-notification-open',
      (event) => (event as CustomEvent).detail.notification.id === 'n2' && event.preventDefault(),
    );
  });
  const here = page.url();
  await page.getByText('Heading 2').click();
  await expect(page.getByText('1 unread')).toBeVisible();
  expect(page.url()).toBe(here);
  await page.getByText('Heading 1').click();
  await expect(page).toHaveURL(/\/orders\/1$/);
  await page.goBack();
});

test('a click with the control key opens another tab', async ({ page }) => {
  await page.evaluate(() => {
    const { FakeSource, notification, show } = window.stage;
    show(new FakeSource([notification(1, { payload: { path: '/orders/1' } })]));
  });
  const tab = page.waitForEvent('popup');
  await page.getByText('Heading 1').click({ modifiers: ['Control'] });
  await expect(await tab).toHaveURL(/\/orders\/1$/);
});

test('10,000 notifications scroll smoothly, and an arrival is cheap', async ({ page }) => {
  const took = await page.evaluate(async () => {
    const { FakeSource, notification, show } = window.stage;
    const rows = Array.from({ length: 10_000 }, (_, index) => notification(10_000 - index, { opened: index > 50 }));
    const source = new FakeSource(rows.slice(0, 200), { hasOlder: true });
    source.older = rows.slice(200);
    source.loadOlder = () => FakeSource.prototype.loadOlder.call(source, 500);
    const drawn = (): Promise<void> => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    show(source);
    const list = document.querySelector('internal-notifications-inbox')!.shadowRoot!;
    const scroller = list.querySelector('[part=scroller]')!;
    while (source.snapshot.hasOlder) {
      scroller.scrollTop = scroller.scrollHeight;
      await drawn();
    }
    await drawn();
    const before = performance.now();
    source.arrive(notification(10_001));
    await drawn();
    const arrival = performance.now() - before;
    const start = performance.now();
    for (let step = 0; step < 20; step += 1) {
      scroller.scrollTop = (scroller.scrollHeight / 20) * step;
      await drawn();
    }
    return { arrival, scrolled: performance.now() - start, articles: list.querySelectorAll('article').length };
  });
  expect(took.articles).toBe(10_001);
  // An idle machine needs a tenth of these.
  expect(took.arrival).toBeLessThan(1_000);
  expect(took.scrolled).toBeLessThan(5_000);
  test.info().annotations.push({ type: 'took', description: JSON.stringify(took) });
  await page.locator('article').first().focus();
  await page.keyboard.press('End');
  await expect(page.getByText('Heading 1', { exact: true })).toBeInViewport();
});

test('older pages load near the end of the list, one at a time', async ({ page }) => {
  const calls = (): Promise<number> => page.evaluate(() => window.stage.source.calls.filter((call) => call === 'older').length);
  await page.evaluate(() => {
    const { FakeSource, notification, show } = window.stage;
    const source = new FakeSource([...Array(50).keys()].map((index) => notification(500 - index)), { hasOlder: true });
    source.older = [...Array(450).keys()].map((index) => notification(450 - index));
    show(source);
  });
  await expect(page.locator('article')).toHaveCount(50);
  expect(await calls()).toBe(0);
  await page.locator('[part=scroller]').first().hover();
  await page.mouse.wheel(0, 3_600);
  await expect(page.locator('article')).toHaveCount(100);
  expect(await calls()).toBe(1);
});

test('a failed older page can be retried, and a full list says so', async ({ page }) => {
  await page.evaluate(() => {
    const { FakeSource, notification, show, InboxError } = window.stage;
    const source = new FakeSource([notification(2)], { hasOlder: true });
    source.older = [notification(1)];
    source.failure = new InboxError('unavailable', 'no connection');
    show(source);
  });
  await expect(page.getByText('Older notifications could not be loaded.')).toBeVisible();
  await page.evaluate(() => (window.stage.source.failure = undefined));
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByText('That’s everything')).toBeVisible();
  await page.evaluate(() => {
    const { FakeSource, notification, show, InboxError } = window.stage;
    const source = new FakeSource([notification(2)], { hasOlder: true });
    source.failure = new InboxError('window-full', 'as many as it may');
    show(source);
  });
  await expect(page.getByText('Older notifications are not shown here.')).toBeVisible();
});

test('an arrival does not move what the user is reading', async ({ page }) => {
  await page.evaluate(() => {
    const { FakeSource, notification, show } = window.stage;
    show(new FakeSource([...Array(60).keys()].map((index) => notification(100 - index))));
  });
  await page.getByText('Heading 70', { exact: true }).scrollIntoViewIfNeeded();
  const before = await page.getByText('Heading 70', { exact: true }).boundingBox();
  await page.evaluate(() => window.stage.source.arrive(window.stage.notification(101), window.stage.notification(102)));
  await expect(page.getByText('62 unread')).toBeVisible();
  const after = await page.getByText('Heading 70', { exact: true }).boundingBox();
  expect(Math.abs(after!.y - before!.y)).toBeLessThan(2);
});
