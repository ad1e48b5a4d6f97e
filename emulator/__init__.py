"""A Bitrix24 portal to develop and demonstrate against; it talks HTTP and imports none of ours."""
