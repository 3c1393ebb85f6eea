import { expect, test } from './fixtures/server.js';

test('the page of the demo', async ({ open, server }) => {
  const page = await open('ada', 'bob');
  await page.setViewportSize({ width: 1_120, height: 1_000 });
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  const side = (user: string) => page.getByRole('region', { name: `${user}’s device` });
  await expect(side('ada').getByText('Live', { exact: true })).toBeVisible();
  await server.push('ada', { heading: 'Your order is on its way', content: 'It should be with you tomorrow before noon.', image_url: '/assets/picture.svg' });
  await expect(side('ada').getByRole('article')).toHaveCount(1);
  await side('ada').getByRole('button', { name: 'Send' }).click();
  await expect(side('bob').getByRole('article')).toHaveCount(1);
  await side('ada').getByRole('switch').uncheck();
  await side('bob').getByRole('button', { name: 'Send' }).click();
  await expect(page.getByRole('log')).toContainText('has stored it');
  await side('bob').getByRole('article').click();
  await page.mouse.move(5, 5);
  await page.screenshot({ path: '../docs/images/demo.png', fullPage: true });
});
