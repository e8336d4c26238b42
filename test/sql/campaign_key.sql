-- campaign_key() and make_campaign(): campaigns of tables of cost.
SELECT url, align.campaign_key(align.parse_campaign(url)) FROM (VALUES
    ('utm_source=google&utm_medium=cpc&utm_campaign=Spring+2026&utm_term=shoes&utm_content=a&utm_id=21'),
    ('?utm_source=google&utm_medium=cpc&utm_source_platform=x'),
    ('https://shop.example/?gclid=x&gad_campaignid=22'),
    ('newsletter'), ('direct'), (''), ('utm_campaign=a%26b%3Dc'), ('utm_medium=email'),
    ('utm_id=5&utm_term=x'), ('utm_term=x')) AS given (url);
SELECT align.campaign_key(align.parse_campaign('https://a.example/', 'https://blog.example.org/post'));
SELECT align.campaign_key(NULL);

SELECT align.make_campaign(' Google ', 'CPC', ' Spring & more ', ' 21 ');
SELECT align.make_campaign('google', NULL, NULL), align.make_campaign(NULL, 'Email', NULL), align.make_campaign(NULL, NULL, 'a=b+c%20'), align.make_campaign(NULL, NULL, NULL, '21');
SELECT align.make_campaign(NULL, NULL, NULL), align.make_campaign('', ' ', E'\t', ''), align.make_campaign(NULL, NULL, 'anna@example.org');
SELECT align.make_campaign('(direct)', '(none)', NULL) OPERATOR(align.=) align.parse_campaign('direct') AS direct;
-- What it makes is what its text form reads.
SELECT bool_and(c OPERATOR(align.=) (c::text)::align.campaign AND c OPERATOR(align.=) align.parse_campaign(c::text)) AS same
FROM (SELECT align.make_campaign(s, m, n, i) AS c
    FROM (VALUES ('google'), ('Ünter &='), (NULL)) AS s (s), (VALUES ('cpc'), ('%41 +'), (NULL)) AS m (m),
        (VALUES ('Spring'), ('#?/&utm_id=7'), (NULL)) AS n (n), (VALUES ('21'), ('x&y'), (NULL)) AS i (i)) AS made
WHERE c IS NOT NULL;
