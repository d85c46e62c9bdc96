<?php
// Makes a fresh WordPress ready to be written to by a script: options, people and their application passwords, which it prints as JSON.
//
//     php prepare.php FOLDER-OF-WORDPRESS
$_SERVER['HTTP_HOST'] = '127.0.0.1';
require $argv[1] . '/wp-load.php';

$options = [
    'blogname' => "Günther’s <Café> & Bar",
    'timezone_string' => 'Europe/Berlin', // So that local time and UTC cannot be taken for each other.
    'permalink_structure' => '',          // A feed is at /?feed=rss2 and a post at /?p=1.
    'posts_per_rss' => 10,
    'comment_moderation' => 0,
    'comment_previously_approved' => 0,
    'comments_notify' => 0,
    'moderation_notify' => 0,
    'thread_comments' => 1,
    'thread_comments_depth' => 5,
    'page_comments' => 0,
    'default_pingback_flag' => 0,
];
foreach ($options as $name => $value) {
    update_option($name, $value);
}

// An administrator may write any HTML; an author's is filtered by WordPress.
$admin = get_user_by('login', 'admin')->ID;
wp_update_user(['ID' => $admin, 'display_name' => 'Ada & Söhne', 'user_url' => 'https://ada.example/']);
$author = wp_insert_user([
    'user_login' => 'zoe',
    'user_pass' => wp_generate_password(),
    'user_email' => 'zoe@wordpress.example',
    'display_name' => 'Zoë O’Brien 🦜',
    'role' => 'author',
]);

$passwords = [];
foreach (['admin' => $admin, 'zoe' => $author] as $name => $user) {
    [$passwords[$name]] = WP_Application_Passwords::create_new_application_password($user, ['name' => 'check']);
}
echo json_encode($passwords);
