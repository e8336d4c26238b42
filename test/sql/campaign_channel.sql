-- Channels of campaigns.
SET search_path = public, align;

-- rules of Google Analytics 4, in their order
SELECT query, channel(parse_campaign(query)) FROM (VALUES
	('utm_source=(direct)'), ('utm_source=(direct)&utm_medium=(not set)'), ('utm_source=(direct)&utm_medium=cpc'), ('utm_source=direct&utm_medium=none'), ('utm_source=direct'), ('utm_medium=(none)'), ('utm_id=5'),
	('utm_source=google&utm_medium=cpc&utm_campaign=Q1 Cross-Network'), ('utm_source=amazon&utm_medium=paid'), ('utm_source=foo&utm_medium=ppc&utm_campaign=eshop'),
	('utm_source=foo&utm_medium=ppc&utm_campaign=Shop'), ('utm_source=foo&utm_medium=ppc&utm_campaign=workshop'), ('utm_source=foo&utm_medium=ppc&utm_campaign=workshopping'),
	('utm_source=foo&utm_medium=email&utm_campaign=barbershop 1shop'),
	('utm_source=bing&utm_medium=CPC'), ('utm_source=google&utm_medium=retargeting'), ('utm_source=google&utm_medium=cpm'), ('utm_source=facebook&utm_medium=paid-social'), ('utm_source=tiktok&utm_medium=paid'),
	('utm_source=youtube&utm_medium=cpv'), ('utm_source=youtube&utm_medium=cpc'), ('utm_source=foo&utm_medium=cpm'), ('utm_source=google&utm_medium=display'), ('utm_source=foo&utm_medium=banner'),
	('utm_source=foo&utm_medium=cpa'), ('utm_source=chatgpt.com&utm_medium=cpc'), ('utm_source=gemini.google.com&utm_medium=cpc'), ('utm_source=gemini.google.com'), ('utm_source=claude.ai&utm_medium=referral'),
	('utm_source=foo&utm_medium=ai-assistant'), ('utm_campaign=(ai-assistant)'), ('utm_source=stripe.com'), ('utm_source=foo&utm_medium=sm'), ('utm_source=foo&utm_medium=social network'),
	('utm_source=vimeo.com'), ('utm_source=foo&utm_medium=video-ad'), ('utm_source=google'), ('utm_source=google.com'), ('utm_source=www.google.fr'), ('utm_source=foo&utm_medium=organic'),
	('utm_source=foo&utm_medium=referral'), ('utm_source=foo&utm_medium=app'), ('utm_source=foo&utm_medium=link'), ('utm_source=email&utm_medium=referral'), ('utm_source=E-Mail'), ('utm_source=foo&utm_medium=e_mail'),
	('utm_source=mailchimp_email'), ('utm_source=foo&utm_medium=affiliate'), ('utm_source=foo&utm_medium=affiliates'), ('utm_source=foo&utm_medium=audio'), ('utm_source=sms&utm_medium=foo'),
	('utm_source=firebase'), ('utm_source=foo&utm_medium=web_push'), ('utm_source=foo&utm_medium=mobile-app'), ('utm_source=foo&utm_medium=notifications'), ('utm_source=foo&utm_medium=bar'), ('utm_source=foo')) AS t(query);

-- channels without a click
SELECT query, channel(parse_campaign(query)) FROM (VALUES
	('utm_source=hannover&utm_medium=trade-show'), ('Webinar'), ('utm_source=acme&utm_medium=Partner'), ('outbound'), ('cold_call'), ('Phone'), ('utm_source=crm&utm_medium=direct_mail'), ('flyer'), ('radio'), ('Word of Mouth'),
	('Organic Search'), ('Social Media'), ('Referral Sites'), ('PAID_SEARCH'), ('utm_source=paid search&utm_medium=foo'), ('Welingak Website')) AS t(query);

-- hosts by their longest suffix, at a label
SELECT source, channel(parse_campaign('utm_source=' || source)) FROM unnest(ARRAY[
	'gemini.google.com', 'mail.google.com', 'groups.google.com', 'foo.google.com', 'google.com', 'google.co.uk', 'google.example.com', 'notgoogle.com', 'm.facebook.com', 'facebook.com.evil.example',
	'x.com', 'netflix.com', 'bot.co', 't.co', 'shop.ebay.com', 'amazon.de', 'foo.line', 'line', '.google.com', 'google.', 'x.com/i/grok']) AS source;

-- each listed source is in its category
\set ON_ERROR_STOP on
SELECT category, count(*), count(*) FILTER (WHERE channel <> category) AS other
FROM (SELECT channel(parse_campaign('utm_source=' || s)) AS channel, category FROM (VALUES
	('baidu', 'Organic Search'), ('qwant', 'Organic Search'), ('yandex.kz', 'Organic Search'), ('igshopping', 'Organic Shopping'), ('checkout.stripe.com', 'Organic Shopping'),
	('43things', 'Organic Social'), ('zooppa.com', 'Organic Social'), ('pinterest.com.au', 'Organic Social'), ('crackle', 'Organic Video'), ('viadeo.journaldunet.com', 'Organic Video'),
	('you.com', 'AI Assistant'), ('duck.ai', 'AI Assistant'), ('bard.google.com', 'AI Assistant')) AS v(s, category)) c GROUP BY 1 ORDER BY 1;
\set ON_ERROR_STOP off

-- the agreement's own channels come first
CREATE TABLE agreement (funnel funnel);
INSERT INTO agreement VALUES ('stage a; won b; success path a -> b;
	channel partner when source ''partner-*'';
	channel "Paid Search" when source ''google'' and medium ''ads'';
	channel Email when medium ''email'' and name ''Weekly*'';
	channel Unassigned when source ''noise'';
	channel nobody when source ''(direct)'' and medium ''(none)'';');
SELECT query, channel(parse_campaign(query), funnel), channel(parse_campaign(query), NULL) FROM agreement, (VALUES
	('utm_source=Partner-7&utm_medium=cpc'), ('utm_source=google&utm_medium=ADS'), ('utm_source=x&utm_medium=email&utm_campaign=WEEKLY 3'), ('utm_source=noise&utm_medium=cpc'), ('?'), ('utm_source=google')) AS t(query);
SELECT channel(NULL::campaign, funnel) FROM agreement;
SELECT channel('utm_source=a', ''::funnel);
DROP TABLE agreement;

SELECT channel_rules_version();
