\set id random(1, :leads)
UPDATE TARGET SET stage = CASE stage WHEN 'mql' THEN 'sal' WHEN 'sal' THEN 'nurture' ELSE 'mql' END WHERE id = :id;
