-- What contacts say of their subscribers.
SELECT subscriber, class, address_bad FROM contact
