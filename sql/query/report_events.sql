-- Decisions and milestones for the timeline, oldest first.
SELECT at, actor, type, leaf FROM event WHERE campaign = $1
   AND type IN ('open', 'import', 'plan', 'request', 'approve', 'withdraw', 'start', 'pause', 'resume', 'hold', 'release', 'drop',
                'inject', 'finish', 'missed', 'scope_altered', 'heads_up', 'decide') ORDER BY seq
